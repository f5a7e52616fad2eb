// The main view: a plane of two columns.

const scatterView = (store) => {
	const {state, page, count, columns} = store;
	const chart = newChart("scatter"), note = make("p", {class: "say", "data-show": "outside", "aria-live": "polite"}), tip = newTip(store.figure);
	let shown = [], how = "";
	chart.div.addEventListener("pointerdown", (e) => { how = e.shiftKey ? "more" : e.altKey ? "less" : ""; }, true);

	const idOf = (point) => shown[point.curveNumber]?.ids[point.pointNumber];
	const later = (f) => (event) => setTimeout(() => f(event)); // Plotly goes on working when an event's hearers are through
	chart.on = {
		plotly_hover: ({points, event}) => {
			const id = idOf(points[0]);
			if (id !== undefined) tip.show(event, describe(store, id), ...id < count ? [crop(page, id, 48)] : []);
		},
		plotly_unhover: tip.hide,
		plotly_click: later(({points}) => {
			const id = idOf(points[0]);
			if (id !== undefined) store.change("chosen", {chosen: id});
		}),
		plotly_selected: later((event) => { // also comes, without an outline, when the outline is taken away
			if (event?.lassoPoints || event?.range) store.pick(event.points.map(idOf).filter((id) => id !== undefined), how);
		}),
		plotly_deselect: later(() => store.pick([])),
		plotly_doubleclick: later(() => store.change("zoom", {zoom: null})),
		plotly_relayout: (event) => {
			if ("xaxis.range[0]" in event || "yaxis.range[0]" in event) {
				const {xaxis, yaxis} = chart.div.layout;
				store.change("zoom", {zoom: {x: [...xaxis.range], y: [...yaxis.range]}});
			}
		},
	};

	const here = (ids) => ids.filter((id) => Number.isFinite(store.value(state.x, id)) && Number.isFinite(store.value(state.y, id)));
	const xy = (ids) => ({x: ids.map((id) => store.value(state.x, id)), y: ids.map((id) => store.value(state.y, id))});

	// fitted are the axes that hold all objects and nearly all samples that are drawn.
	function fitted(c) {
		return joined(shown.map((s) => extent(s.ids.map((id) => store.value(c, id)), ...s.kind === "drawn" ? [0.02, 0.98] : [0, 1])));
	}

	// colours are those of a column, different on both sides of the threshold.
	function scale() {
		const c = state.color, {inlier, name} = columns[c];
		const values = extent(shown.flatMap((s) => s.ids.filter((id) => store.has(c, id)).map((id) => store.value(c, id))), 0.03, 0.97) ?? [0, 1];
		const middle = inlier ? store.threshold(c) : (values[0] + values[1]) / 2;
		const reach = Math.max(Math.abs(values[0] - middle), Math.abs(values[1] - middle)) || 1;
		const bar = {title: {text: plain(name), side: "right"}, thickness: 12, len: 0.9, outlinewidth: 0};
		// From outlier to inlier; coordinates have no such sides.
		const sides = [[0, "#b2182b"], [0.25, "#ef8a62"], [0.499, "#fddbc7"], [0.501, "#d1e5f0"], [0.75, "#67a9cf"], [1, "#2166ac"]];
		return inlier
			? {cmin: middle - reach, cmax: middle + reach, colorscale: sides, reversescale: inlier < 0, colorbar: bar}
			: {cmin: values[0], cmax: values[1], colorscale: "Viridis", colorbar: bar};
	}

	const traces = (type) => {
		const {ring} = theme(), coloured = state.color >= 0;
		const some = state.picked.size > 0;
		const all = shown.map((s) => ({
			type, mode: "markers", name: plain(s.name), ...xy(s.ids), hoverinfo: "none",
			marker: {
				symbol: s.shape, size: s.size, opacity: s.opacity, line: {color: ring, width: s.ring ? 1.3 : 0},
				...coloured && store.compares(state.color) | s.kind === "known" | s.kind === "unknown"
					? {color: s.ids.map((id) => store.has(state.color, id) ? store.value(state.color, id) : null), coloraxis: "coloraxis"} : {color: ink(s.color)},
			},
			selectedpoints: some ? s.ids.flatMap((id, i) => state.picked.has(id) ? [i] : []) : null,
			selected: {marker: {opacity: 1}}, unselected: {marker: {opacity: 0.1}},
		}));
		const circle = (ids, size, width) => ({
			type, mode: "markers", ...xy(here(ids)), hoverinfo: "skip", showlegend: false, marker: {symbol: "circle-open", size, color: ring, line: {color: ring, width}},
			selected: {marker: {opacity: 1}}, unselected: {marker: {opacity: 1}},
		});
		const near = state.chosen === null ? [] : store.near(state.chosen);
		return [...all, circle(near, 13, 1.2), circle(state.chosen === null ? [] : [state.chosen], 17, 2)];
	};

	const axes = () => {
		const zoom = state.zoom ?? {x: fitted(state.x), y: fitted(state.y)};
		return layout({title: columns[state.x].name, range: zoom.x}, {title: columns[state.y].name, range: zoom.y}, {
			dragmode: state.drag, selections: [], ...state.color >= 0 ? {coloraxis: scale(), margin: {...margin, r: 84}} : {},
			newselection: {line: {color: theme().ring, width: 1}},
		});
	};

	store.views.push(async (whats) => {
		const counts = any(whats, "draw", "plane", "color", "hidden", "picked", "chosen", "zoom", "drag") || whats.has("threshold") && state.color >= 0;
		if (!counts) return;
		shown = store.visible().map((s) => ({...s, ids: here(s.ids)}));
		const frame = axes(), {range: [x0, x1]} = frame.xaxis, {range: [y0, y1]} = frame.yaxis;
		let outside = 0;
		for (const s of shown) for (const id of s.ids) {
			const x = store.value(state.x, id), y = store.value(state.y, id);
			if (x < x0 || x > x1 || y < y0 || y > y1) outside++;
		}
		const absent = store.visible().reduce((sum, s) => sum + s.ids.length, 0) - shown.reduce((sum, s) => sum + s.ids.length, 0);
		note.textContent = `${outside ? `Outside the axes: ${outside}.` : "All points lie within the axes."}` +
			(absent ? ` Without a place in this plane: ${absent}.` : "");
		note.dataset.outside = outside;
		await chart.draw(traces(marks()), frame);
	});

	// picture is the plot as it stands, with a legend, as vectors.
	const picture = async (format) => {
		const place = make("div"), {clientWidth: width, clientHeight: height} = chart.div;
		await Plotly.newPlot(place, traces("scatter").map((trace) => ({...trace, selectedpoints: trace.selectedpoints ?? undefined})),
			{...axes(), showlegend: true, legend: {orientation: "h", y: -0.16}, margin: {...margin, b: 90, r: state.color >= 0 ? 84 : 14}, paper_bgcolor: theme().ground});
		try {
			return await Plotly.toImage(place, {format, width, height: height + 60, scale: format === "png" ? 2 : 1});
		} finally {
			Plotly.purge(place);
		}
	};
	const zoom = (by) => {
		const {xaxis, yaxis} = chart.div.layout;
		const around = ([a, b]) => [(a + b) / 2 - (b - a) / 2 * by, (a + b) / 2 + (b - a) / 2 * by];
		store.change("zoom", {zoom: {x: around(xaxis.range), y: around(yaxis.range)}});
	};
	return {chart, note, picture, zoom};
};

// describe says what a point is.
const describe = (store, id) => {
	const {page, count} = store, lines = [];
	if (id < count) lines.push(`${page.groupOf[id].unknown ? "unknown, " : "class "}${nameOf(page, id)}`);
	else lines.push(store.draw.kept.includes(id) ? "synthetic outlier" : "drawn, not kept");
	if (store.has(store.nll, id)) lines.push(`NLL ${fixed(store.value(store.nll, id), 1)} nats${id < count ? "" : ` under ${store.method().density}`}`);
	lines.push(`energy ${fixed(store.value(store.energy, id))} nats`);
	return lines.join("\n");
};
