// A histogram of one column with a threshold that is dragged; dragging elsewhere selects what lies there.

const bins = 40;

const histogramView = (store, place, column) => {
	const {state, columns} = store;
	const chart = newChart(`histogram-${place}`, {staticPlot: true});
	const key = make("p", {class: "key"});
	const note = make("p", {class: "say", "data-show": `separation-${place}`, "aria-live": "polite"});
	const counts = make("p", {class: "say", "data-show": `counts-${place}`});
	const handle = make("div", {class: "threshold", role: "slider", tabindex: 0, "data-set": `threshold-${place}`});
	const brush = make("div", {class: "brush"}), cover = make("div", {class: "cover"}, brush, handle);
	const frame = make("div", {class: "over"}, chart.div, cover);
	let extentOf = [0, 1];

	const scores = columns.flatMap((c, i) => c.inlier && (i !== store.nll || store.page.nll) ? [i] : []);
	const list = select("", `histogram-${place}`, scores.map((i) => columns[i].name), scores.indexOf(column), (i) => {
		column = scores[i];
		store.change(`histogram-${place}`);
	});
	list.list.ariaLabel = "histogram of";

	const toValue = (event) => {
		const box = cover.getBoundingClientRect();
		return extentOf[0] + (event.clientX - box.left) / box.width * (extentOf[1] - extentOf[0]);
	};
	const toShare = (v) => (v - extentOf[0]) / (extentOf[1] - extentOf[0]);
	const move = (v) => {
		state.thresholds.set(column, Math.min(extentOf[1], Math.max(extentOf[0], v)));
		store.change("threshold");
	};
	handle.addEventListener("keydown", (e) => {
		const step = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10}[e.key];
		if (!step) return;
		e.preventDefault();
		move(store.threshold(column) + step * (extentOf[1] - extentOf[0]) / 100);
	});
	cover.addEventListener("pointerdown", (down) => {
		down.preventDefault();
		cover.setPointerCapture(down.pointerId);
		const from = toValue(down), box = cover.getBoundingClientRect();
		const near = Math.abs(toShare(from) - toShare(store.threshold(column))) * box.width < 12;
		if (near) handle.focus();
		const moved = (e) => {
			if (near) return move(toValue(e));
			const [a, b] = [toShare(from), toShare(toValue(e))].sort((a, b) => a - b).map((v) => Math.min(1, Math.max(0, v)));
			Object.assign(brush.style, {display: "block", left: `${100 * a}%`, width: `${100 * (b - a)}%`});
		};
		const up = (e) => {
			cover.removeEventListener("pointermove", moved);
			cover.removeEventListener("pointerup", up);
			cover.removeEventListener("pointercancel", up);
			brush.style.display = "none";
			const [a, b] = [from, toValue(e)].sort((a, b) => a - b);
			if (!near && e.type === "pointerup" && (toShare(b) - toShare(a)) * box.width > 4) pickWithin(a, b, e.shiftKey ? "more" : e.altKey ? "less" : "");
		};
		cover.addEventListener("pointermove", moved);
		cover.addEventListener("pointerup", up);
		cover.addEventListener("pointercancel", up);
	});
	const comparable = (s) => s.kind === "known" || s.kind === "unknown" || store.compares(column);
	const pickWithin = (a, b, how = "") => store.pick(store.visible().filter(comparable).flatMap((s) => s.ids)
		.filter((id) => store.has(column, id) && store.value(column, id) >= a && store.value(column, id) <= b), how);
	const below = () => columns[column].inlier > 0 ? [-Infinity, store.threshold(column)] : [store.threshold(column), Infinity];

	// lines are the histograms of the kinds, each with the sum 1.
	function lines() {
		const visible = store.visible();
		const ofKind = (kind) => visible.filter((s) => s.kind === kind).flatMap((s) => s.ids);
		const kinds = [
			{name: "known", ids: ofKind("known"), color: ink("#0072b2")},
			...visible.filter((s) => s.kind === "unknown").map((s) => ({name: s.name, ids: s.ids, color: ink(s.color)})),
			...store.compares(column) ? [{name: "all draws", ids: [...ofKind("drawn"), ...ofKind("kept")], color: ink(store.page.colors.drawn), dash: "dot"}] : [],
		].map((k) => ({...k, values: k.ids.filter((id) => store.has(column, id)).map((id) => store.value(column, id))}));
		extentOf = joined(kinds.map((k) => extent(k.values, 0.005, 0.995)), 0.08);
		const width = (extentOf[1] - extentOf[0]) / bins;
		const shares = (values) => {
			const share = new Array(bins).fill(0);
			for (const v of values) {
				const i = Math.floor((v - extentOf[0]) / width);
				if (i >= 0 && i < bins) share[i] += 1 / values.length;
			}
			return share;
		};
		const edges = range(0, bins).map((i) => extentOf[0] + i * width);
		const picked = [...state.picked].filter((id) => store.has(column, id) && (id < store.count || store.compares(column))).map((id) => store.value(column, id));
		const trace = (name, values, more) => ({type: "scatter", mode: "lines", name, x: [...edges, extentOf[1]], y: [...shares(values), 0], line: {shape: "hv", width: 2, ...more.line}, ...more.rest});
		return [
			...picked.length ? [trace("selection", picked, {line: {color: theme().line, width: 1}, rest: {fill: "tozeroy", fillcolor: "rgba(128,128,128,0.35)"}})] : [],
			...kinds.filter((k) => k.values.length).map((k) => trace(k.name, k.values, {line: {color: k.color, dash: k.dash ?? "solid"}})),
			...store.compares(column) ? [{type: "scatter", mode: "markers", name: "outliers kept", x: ofKind("kept").map((id) => store.value(column, id)), y: ofKind("kept").map(() => 0),
				cliponaxis: false, marker: {symbol: "triangle-up", size: 9, color: store.page.colors.selected, line: {color: theme().ring, width: 1}}}] : [],
		];
	}

	// keyed is what stands over the plot: a legend within it would cover lines.
	const keyed = ({name, line, mode, fill}) => {
		const mark = make("i", {class: mode === "markers" ? "triangle" : fill ? "area" : ""});
		mark.style.color = line?.color ?? store.page.colors.selected;
		mark.style.borderTopStyle = line?.dash && line.dash !== "solid" ? "dotted" : "solid";
		return make("span", {}, mark, name);
	};

	function tell() {
		const threshold = store.threshold(column), {known, unknown, separation} = store.sides(column, store.visible());
		const sign = columns[column].inlier, passes = (v) => v >= sign * threshold;
		const passed = [known, unknown].map((values) => values.filter(passes).length);
		handle.style.left = `${100 * Math.min(1, Math.max(0, toShare(threshold)))}%`;
		Object.entries({
			"aria-label": `threshold of ${columns[column].name}`, "aria-valuemin": extentOf[0], "aria-valuemax": extentOf[1], "aria-valuenow": threshold,
			"aria-valuetext": fixed(threshold),
		}).forEach(([name, value]) => handle.setAttribute(name, value));
		note.dataset.auroc = separation?.auroc ?? "";
		note.dataset.fpr95 = separation?.fpr95 ?? "";
		note.textContent = `Known against unknown objects: AUROC ${percent(separation?.auroc)}, FPR95 ${percent(separation?.fpr95)}.`;
		const kept = store.draw.kept.filter((id) => store.has(column, id)).map((id) => sign * store.value(column, id));
		counts.dataset.counts = [passed[0], known.length, passed[1], unknown.length].join();
		counts.textContent = `At ${fixed(threshold)}: ${passed[0]} of ${known.length} known pass (${percent(passed[0] / known.length)}), ` +
			`${passed[1]} of ${unknown.length} unknown (${percent(passed[1] / unknown.length)})` +
			(store.compares(column) && kept.length ? `, ${kept.filter(passes).length} of ${kept.length} outliers.` : ".");
	}

	store.views.push(async (whats) => {
		if (any(whats, "draw", "hidden", "picked", `histogram-${place}`)) {
			const traces = lines();
			key.replaceChildren(...traces.map(keyed));
			await chart.draw(traces, layout({title: columns[column].name, range: extentOf}, {title: "share", rangemode: "tozero"}));
			tell();
		} else if (whats.has("threshold")) tell();
	});
	return make("section", {class: "histogram"},
		make("h4", {}, "Histogram of ", list.element),
		key, frame, note, counts,
		button("select what does not pass", `below-${place}`, () => pickWithin(...below())));
};
