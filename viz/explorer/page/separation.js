// How well a score tells known from unknown objects, as the evaluation measures it: equal scores pass together.

// operatingPoints counts what passes at every distinct score, from the highest to the lowest.
const operatingPoints = (inlier, outlier) => {
	const all = [...inlier.map((score) => [score, 0]), ...outlier.map((score) => [score, 1])].sort((a, b) => b[0] - a[0]);
	const points = [], passed = [0, 0];
	all.forEach(([score, side], i) => {
		passed[side]++;
		if (i + 1 === all.length || all[i + 1][0] !== score) points.push({threshold: score, inlier: passed[0], outlier: passed[1]});
	});
	return points;
};

// separate returns AUROC, FPR95 and the highest threshold that 95 % of the inliers reach; null if a side is empty.
// FPR95 is taken where the share of inliers that pass is nearest to 95 %, of equally near ones the higher.
const separate = (inlier, outlier) => {
	const points = operatingPoints(inlier, outlier), n = inlier.length, m = outlier.length;
	if (!n) return null;
	const threshold95 = points.find((p) => p.inlier / n >= 0.95).threshold;
	if (!m) return {auroc: NaN, fpr95: NaN, threshold95};
	let twice = 0, before = {inlier: 0, outlier: 0};
	for (const p of points) {
		twice += (p.outlier - before.outlier) * (p.inlier + before.inlier);
		before = p;
	}
	let fpr95 = NaN, nearest = Infinity, seen = -1;
	for (const p of points.slice(0, points.findIndex((p) => p.inlier === n) + 1).reverse()) {
		if (p.inlier === seen) continue;
		seen = p.inlier;
		const distance = Math.abs(p.inlier / n - 0.95);
		if (distance < nearest) [nearest, fpr95] = [distance, p.outlier / m];
	}
	return {auroc: twice / 2 / n / m, fpr95, threshold95};
};
