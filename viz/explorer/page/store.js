// What is shown, and what the views share. A point is a whole number: real objects come first, the samples of the current draw after them.

const newStore = (page, figure) => {
	const {draws, groups} = page, objects = page.objects, count = objects.number;
	const at1 = draws.temperatures.map((t) => Math.abs(t - 1));
	const state = {
		method: 0, temperature: at1.indexOf(Math.min(...at1)), seed: 0, drawn: draws.drawn, selected: draws.selected, share: null,
		x: 0, y: 1, color: -1, zoom: null, drag: "lasso", hidden: new Set(), picked: new Set(), chosen: null, thresholds: new Map(),
		fresh: null, // samples that the process behind the page drew: {points, method, temperature, seed}
	};
	const views = [];
	const store = {
		page, state, count, figure, energy: page.axes, nll: page.axes + 1, draw: null, series: [],
		columns: page.columns,
		value: (c, id) => id < count ? objects.columns[c][id] : store.draw.points.columns[c][store.draw.first + id - count],
		near: (id) => id < count ? nearestTo(objects, id) : nearestTo(store.draw.points, store.draw.first + id - count),
		method: () => draws.methods[state.method],
		// has says that a point has the number; the columns of an NLL hold zeros where there is none.
		has: (c, id) => Number.isFinite(store.value(c, id)) && (c !== store.nll || (id < count ? page.nll : store.method().density !== "")),
		// compares says that a column means the same for objects and samples.
		compares: (c) => c !== store.nll || page.nll && store.method().density !== "" && !store.method().own,
		visible: () => store.series.filter((s) => !state.hidden.has(s.key)),
		// threshold is the reader's, or the one that 95 % of the known objects reach.
		threshold: (c) => {
			if (!state.thresholds.has(c)) state.thresholds.set(c, (store.sides(c, fixedSeries).separation?.threshold95 ?? NaN) * (page.columns[c].inlier || 1));
			return state.thresholds.get(c);
		},
		// sides are the values of known and of unknown objects, and how they separate; the draws do not matter.
		sides: (c, series) => {
			const key = [c, ...series.filter((s) => s.kind === "known" || s.kind === "unknown").map((s) => s.key)].join();
			if (!measured.has(key)) measured.set(key, measure(c, series));
			return measured.get(key);
		},
		pick: (ids, how = "") => {
			const picked = new Set(how ? state.picked : []);
			for (const id of ids) how === "less" ? picked.delete(id) : picked.add(id);
			store.change("picked", {picked});
		},
		pickedIds: () => [...state.picked].sort((a, b) => a - b),
		views,
		change,
		busy: Promise.resolve(),
	};
	const measured = new Map();
	function measure(c, series) {
		const sign = page.columns[c].inlier || 1;
		const values = (kind) => series.filter((s) => s.kind === kind).flatMap((s) => s.ids).map((id) => sign * store.value(c, id)).filter(Number.isFinite);
		const known = values("known"), unknown = values("unknown");
		return {known, unknown, separation: separate(known, unknown)};
	}
	const fixedSeries = [];
	const add = (s) => fixedSeries.push({...s, size: 7, opacity: 0.75});
	groups.forEach((g, i) => {
		if (!g.other) add({key: `g${i}`, kind: g.unknown ? "unknown" : "known", name: g.unknown ? `unknown: ${g.name}` : g.name, ids: g.objects, color: g.color, shape: g.shape});
	});
	const others = groups.filter((g) => g.other);
	if (others.length) add({key: "other", kind: "known", name: `other classes (${others.length})`, ids: others.flatMap((g) => g.objects), color: page.colors.other, shape: others[0].shape});
	fixedSeries.sort((a, b) => (a.kind === "unknown") - (b.kind === "unknown"));

	// redraw takes the samples of the state, and orders them by likelihood.
	function redraw() {
		const m = store.method(), {fresh} = state;
		const points = fresh ? fresh.points : m.points;
		const first = fresh ? 0 : (state.temperature * draws.seeds.length + state.seed) * draws.number;
		if (fresh) state.drawn = points.number;
		state.drawn = Math.min(state.drawn, fresh ? points.number : draws.number);
		if (state.share !== null) state.selected = Math.max(1, Math.round(state.share / 100 * state.drawn));
		const number = m.all ? state.drawn : Math.min(state.selected, state.drawn);
		const order = leastLikely(points.columns[store.nll], first, state.drawn);
		const kept = order.slice(0, number).map((i) => count + i), rest = order.slice(number).map((i) => count + i);
		store.draw = {points, first, number, kept, rest};
		store.series = [
			{key: "drawn", kind: "drawn", name: `drawn, not kept (${m.name})`, ids: rest, color: page.colors.drawn, shape: "circle", size: 4, opacity: 0.6},
			...fixedSeries,
			{key: "kept", kind: "kept", name: `outliers kept (${m.name})`, ids: kept.toReversed(), color: page.colors.selected, shape: "circle", size: 9, opacity: 0.95, ring: true},
		];
	}

	const drawing = ["method", "temperature", "seed", "drawn", "selected", "share", "fresh"];
	let waiting = new Set(), running = false;

	// change changes the state and draws what shows it; changes that come while that goes on are drawn together.
	function change(what, news = {}) {
		Object.assign(state, news);
		if (drawing.some((name) => name in news)) {
			const another = ["method", "temperature", "seed", "fresh"].some((name) => name in news);
			redraw();
			const gone = (id) => id >= count && (another || id >= count + state.drawn);
			state.picked = new Set([...state.picked].filter((id) => !gone(id)));
			if (state.chosen === null || gone(state.chosen)) state.chosen = store.draw.kept[0];
		}
		waiting.add(what);
		figure.dataset.busy = "";
		if (!running) store.busy = show();
	}
	async function show() {
		running = true;
		await null; // changes of one event are one
		while (waiting.size) {
			const begin = performance.now(), whats = waiting;
			waiting = new Set();
			await Promise.all(views.map((view) => view(whats)));
			figure.dataset.redraw = (performance.now() - begin).toFixed(1);
		}
		running = false;
		delete figure.dataset.busy;
		figure.dataset.opened ??= performance.now().toFixed(0); // since the page began to load
		figure.dataset.state = Number(figure.dataset.state ?? 0) + 1;
	}
	darkQuery.addEventListener("change", () => change("theme"));
	redraw();
	state.chosen = store.draw.kept[0];
	return store;
};

// any says that one of the changes is one of these; the first drawing and a change of the theme are all.
const any = (whats, ...these) => ["all", "theme", ...these].some((what) => whats.has(what));
