// What chooses the draws, the plane, the colours and what the pointer does.

const controlsView = (store, scatter, live) => {
	const {state, page, columns} = store, {draws} = page;
	const change = (news) => store.change("draw", news);
	const method = select("method", "method", draws.methods.map((m) => m.name), 0, (v) => {
		change({method: v, fresh: null});
		live.again();
	}, draws.methods.map((m) => m.name));
	const temperature = slider("temperature", "temperature", draws.temperatures.length - 1, (v) => change({temperature: v}));
	const drawn = slider("drawn", "drawn", draws.number, (v) => change({drawn: v}), Math.min(10, draws.number));
	const seed = slider("seed", "seed", draws.seeds.length - 1, (v) => change({seed: v}));
	const nextSeed = button("next seed", "next-seed", () => change({seed: (state.seed + 1) % draws.seeds.length}));
	const selected = slider("kept", "selected", draws.drawn, (v) => change({selected: v, share: null}), 1);
	const share = slider("least likely", "share", 200, (v) => change({share: v / 2})); // per cent
	const stored = [temperature.element, drawn.element, seed.element, nextSeed];

	const names = columns.map((c) => c.name), at = (name) => names.indexOf(name);
	const plane = select("plane", "plane", [...page.planes.map((p) => p.Name), "other"], 0, (i) => {
		if (i < page.planes.length) store.change("plane", {x: at(page.planes[i].X), y: at(page.planes[i].Y), zoom: null});
	});
	const x = select("x", "x", names, 0, (v) => store.change("plane", {x: v, zoom: null}));
	const y = select("y", "y", names, 1, (v) => store.change("plane", {y: v, zoom: null}));
	const colors = ["class", ...names];
	const color = select("colour", "color", colors, 0, (v) => store.change("color", {color: v - 1}));

	const tools = [["lasso", "lasso"], ["select", "box"], ["pan", "pan"], ["zoom", "zoom"]].map(([drag, text]) =>
		button(text, `drag-${drag}`, () => store.change("drag", {drag})));
	const toolbar = make("span", {role: "group", "aria-label": "what dragging does", class: "tools"}, ...tools);

	store.views.push((whats) => {
		if (any(whats, "drag")) for (const tool of tools) tool.setAttribute("aria-pressed", tool.dataset.do === `drag-${state.drag}`);
		if (any(whats, "plane")) {
			x.set(state.x);
			y.set(state.y);
			const i = page.planes.findIndex((p) => at(p.X) === state.x && at(p.Y) === state.y);
			plane.set(i < 0 ? page.planes.length : i);
		}
		if (!any(whats, "draw")) return;
		const m = store.method(), number = store.draw.number;
		for (const element of stored) element.hidden = state.fresh !== null;
		temperature.set(state.temperature, fixed(draws.temperatures[state.temperature]));
		drawn.set(Math.min(state.drawn, draws.number), state.drawn);
		selected.set(number, m.all ? "all" : number, state.drawn, m.all);
		share.set(Math.round(200 * number / state.drawn), percent(number / state.drawn), 200, m.all);
		seed.set(state.seed, draws.seeds[state.seed]);
	});
	return [
		make("div", {class: "controls"}, method.element, ...stored, selected.element, share.element, live.element),
		make("div", {class: "controls"}, plane.element, x.element, y.element, color.element, toolbar,
			button("+", "closer", () => scatter.zoom(0.7), {"aria-label": "zoom in"}), button("−", "farther", () => scatter.zoom(1 / 0.7), {"aria-label": "zoom out"}),
			button("fit", "fit", () => store.change("zoom", {zoom: null}))),
	];
};
