// Reading the page's numbers.

const bytes = (text) => {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text); // in browsers since 2025
	const binary = atob(text), out = new Uint8Array(binary.length);
	for (let i = 0; i < out.length; i++) out[i] = binary.charCodeAt(i);
	return out;
};

// unpack undoes gzip and base64.
const unpack = (text) => new Response(new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).text();

// Every browser runs on machines of the data's byte order, little-endian.
const words = (text) => new Uint16Array(bytes(text).buffer);
const floats = (text) => new Float32Array(bytes(text).buffer);

const readPoints = ({number, columns, near, neighbour}) => ({number, columns: columns.map(floats), near: words(near), neighbour});

// nearestTo lists the objects nearest to point i, nearest first.
const nearestTo = (points, i) => [...points.near.subarray(i * points.neighbour, (i + 1) * points.neighbour)];

// leastLikely orders the points first ... first+n-1 by descending NLL, the earlier first among equals.
const leastLikely = (nll, first, n) => range(0, n).sort((a, b) => nll[first + b] - nll[first + a] || a - b);

const range = (first, n) => Array.from({length: n}, (_, i) => first + i);

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;

// extent is the range of the finite values between two quantiles; null without any.
const extent = (values, low = 0, high = 1) => {
	const sorted = Float64Array.from(values.filter(Number.isFinite)).sort();
	const at = (q) => sorted[Math.round(q * (sorted.length - 1))];
	return sorted.length ? [at(low), at(high)] : null;
};

// joined is the range that holds all of some, with a share of air at both ends.
const joined = (ranges, share = 0.05) => {
	const some = ranges.filter(Boolean);
	if (!some.length) return [0, 1];
	const low = Math.min(...some.map((r) => r[0])), high = Math.max(...some.map((r) => r[1]));
	const air = (high - low) * share || 1;
	return [low - air, high + air];
};

// fixed writes a number with decimals and a true minus sign.
const fixed = (v, decimals = 2) => {
	if (!Number.isFinite(v)) return "–";
	const text = v.toFixed(decimals);
	return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
};

const percent = (v, decimals = 1) => Number.isFinite(v) ? `${fixed(100 * v, decimals)} %` : "–";
