// Reading the page's numbers, and what is computed of them.

// words reads little-endian 16-bit words in base64; every browser runs on machines of that byte order.
const words = (text) => new Uint16Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// column reads a list of numbers: min + step * word.
const column = ({min, step, data}) => Float32Array.from(words(data), (word) => min + step * word);

const readPoints = ({at, nll, energy, near, neighbour}) =>
	({at: at.map(column), nll: column(nll), energy: column(energy), near: words(near), neighbour});

// nearestTo lists the objects nearest to point i, nearest first.
const nearestTo = (points, i) => [...points.near.subarray(i * points.neighbour, (i + 1) * points.neighbour)];

// leastLikely orders the points first ... first+n-1 by descending NLL, the earlier first among equals.
const leastLikely = (nll, first, n) =>
	Array.from({length: n}, (_, i) => first + i).sort((a, b) => nll[b] - nll[a] || a - b);

const mean = (values, indices) => indices.reduce((sum, i) => sum + values[i], 0) / indices.length;

const range = (first, n) => Array.from({length: n}, (_, i) => first + i);

// extent is the range of the values between two quantiles.
const extent = (values, low, high) => {
	const sorted = Float32Array.from(values).sort();
	const at = (q) => sorted[Math.round(q * (sorted.length - 1))];
	return [at(low), at(high)];
};

// widen adds a share of air at both ends.
const widen = ([low, high], share = 0.05) => {
	const air = (high - low) * share || 1;
	return [low - air, high + air];
};

const join = (...ranges) => [Math.min(...ranges.map((r) => r[0])), Math.max(...ranges.map((r) => r[1]))];

// niceStep is the least of the numbers 1, 2 and 5 times a power of ten that is no less than the given one.
const niceStep = (least) => {
	const power = 10 ** Math.floor(Math.log10(least));
	return power * [1, 2, 5, 10].find((m) => m * power >= least);
};

// niceTicks are some five round numbers in a range.
const niceTicks = ([low, high]) => {
	const step = niceStep((high - low) / 5);
	const ticks = [];
	for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push(k * step);
	return {ticks, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
};

// fixed writes a number with decimals and a true minus sign.
const fixed = (v, decimals = 2) => {
	const text = v.toFixed(decimals);
	return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
};
