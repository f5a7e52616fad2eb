// What all plots share.

let Plotly = null; // the library, which start unpacks

const darkQuery = matchMedia("(prefers-color-scheme: dark)");

// ink is the colour as it can be seen on the page's ground: on a dark one, dark colours are mixed with white.
const ink = (color) => {
	if (!darkQuery.matches) return color;
	const parts = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)), least = 0.45;
	const light = (0.3 * parts[0] + 0.59 * parts[1] + 0.11 * parts[2]) / 255;
	const white = Math.max(0, (least - light) / (1 - light));
	return `#${parts.map((v) => Math.round(v + white * (255 - v)).toString(16).padStart(2, "0")).join("")}`;
};

const theme = () => darkQuery.matches
	? {text: "#dddddd", grid: "#3a3a3a", line: "#888888", ground: "#1b1b1d", ring: "#ffffff"}
	: {text: "#303030", grid: "#e6e6e6", line: "#555555", ground: "#ffffff", ring: "#000000"};

// plain is text in which Plotly finds no markup.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const margin = {l: 60, r: 14, t: 12, b: 46};

// layout is that of a plot with two axes.
const layout = (x, y, more = {}) => {
	const {text, grid, line} = theme();
	const axis = ({title, ...rest}) => ({
		title: {text: plain(title), standoff: 6}, gridcolor: grid, linecolor: line, showline: true, mirror: true, zeroline: false, automargin: false, ticklabeloverflow: "allow", ...rest,
	});
	return {
		xaxis: axis(x), yaxis: axis(y), margin, showlegend: false, hovermode: "closest", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
		font: {color: text, size: 12, family: "system-ui, sans-serif"}, ...more,
	};
};

// marks is Plotly's type of scatter plot: on the graphics card where there is one.
const marks = (() => {
	let type = "";
	return () => {
		if (!type) {
			const context = document.createElement("canvas").getContext("webgl");
			type = context ? "scattergl" : "scatter";
			context?.getExtension("WEBGL_lose_context")?.loseContext();
		}
		return type;
	};
})();

// newChart is a plot that is as wide as its place. The first call of draw makes it. What is far from the window is drawn when it comes near.
const newChart = (name, config = {}) => {
	const div = make("div", {class: "chart", "data-show": name});
	let drawn = false, near = false, waiting = null;
	new ResizeObserver(() => {
		if (drawn && div.clientWidth && div.clientWidth !== div.shown) {
			div.shown = div.clientWidth;
			Plotly.Plots.resize(div).then(() => chart.resized?.());
		}
	}).observe(div);
	const catchUp = async () => {
		if (!waiting) return;
		const [traces, layout] = waiting;
		waiting = null;
		div.shown = div.clientWidth;
		const made = Plotly.react(div, traces, layout, {displayModeBar: false, doubleClick: false, showTips: false, plotGlPixelRatio: Math.max(1, devicePixelRatio), ...config});
		if (!drawn) {
			drawn = true;
			for (const [event, heard] of Object.entries(chart.on)) div.on(event, heard);
		}
		await made;
	};
	const placed = new Promise((resolve) => new IntersectionObserver((entries) => {
		near = entries.at(-1).isIntersecting;
		resolve();
		if (near) catchUp();
	}, {rootMargin: "50%"}).observe(div));
	addEventListener("beforeprint", catchUp);
	const chart = {
		div,
		draw: async (traces, layout) => {
			waiting = [traces, layout];
			if (layout.height) div.style.minHeight = `${layout.height}px`;
			await placed;
			if (near) await catchUp();
		},
		on: {}, // Plotly's events
		resized: null,
	};
	return chart;
};

// tip shows what is under the pointer. It belongs to the figure, and goes with the pointer.
const newTip = (figure) => {
	let element = null;
	const hide = () => {
		element?.remove();
		element = null;
	};
	const show = (event, ...content) => {
		hide();
		const box = figure.getBoundingClientRect();
		element = make("div", {class: "tip", "data-show": "tip"}, ...content);
		figure.append(element);
		const left = event.clientX - box.left + 14;
		element.style.left = `${Math.max(0, Math.min(left, box.width - element.offsetWidth - 4))}px`;
		element.style.top = `${event.clientY - box.top + 12}px`;
	};
	return {show, hide};
};
