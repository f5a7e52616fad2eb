// The first view: draws of a method, the least likely of them selected, among real objects in a plane of two components.
const drawsView = (page, figure, redrawn) => {
	const {draws, groups, objects, axes} = page;
	const at1 = draws.temperatures.map((t) => Math.abs(t - 1));
	const state = {
		method: 0, temperature: at1.indexOf(Math.min(...at1)), seed: 0, drawn: draws.drawn, selected: draws.selected, share: null, x: 0, y: 1, chosen: null,
	};
	const change = (news) => redrawn(() => {
		Object.assign(state, {chosen: null}, news);
		draw();
	});
	const temperature = slider("temperature", "temperature", draws.temperatures.length - 1, (v) => change({temperature: v}));
	const drawn = slider("drawn", "drawn", draws.number, (v) => change({drawn: v}), Math.min(10, draws.number));
	const selected = slider("selected", "selected", draws.drawn, (v) => change({selected: v, share: null}), 1);
	const share = slider("least likely", "share", 200, (v) => change({share: v / 2})); // per cent
	const seed = slider("seed", "seed", draws.seeds.length - 1, (v) => change({seed: v}));
	const nextSeed = make("button", {type: "button", onclick: () => change({seed: (state.seed + 1) % draws.seeds.length})}, "next seed");
	const plot = new Plot(figure, "scatter", 620, 460, tipFor, (what) => {
		if ("sample" in what) redrawn(() => { state.chosen = what.sample; draw(); });
	});
	const table = make("table", {"data-show": "groups"});
	const summary = make("p", {class: "say", "data-show": "summary", "aria-live": "polite"});
	const nearest = make("div", {class: "crops", "data-show": "crops"});
	const nearestTitle = make("p", {class: "say", "data-show": "chosen"});

	function tipFor(what) {
		if ("object" in what) return [describe(page, what.object), crop(page, what.object, 48)];
		const m = draws.methods[state.method];
		return `${what.selected ? "synthetic outlier" : "drawn, not selected"}${m.density ? `\nNLL ${fixed(m.points.nll[what.sample], 1)} nats under ${m.density}` : ""}` +
			`\nenergy ${fixed(m.points.energy[what.sample])} nats` + (what.selected ? "\nclick: nearest real crops" : "");
	}

	const known = groups.filter((g) => !g.unknown).flatMap((g) => g.objects);

	// The axes of a method stay where they are while sliders move: they hold all objects and nearly all of its draws.
	const ranges = draws.methods.map((m) => axes.map((_, i) => widen(join(extent(objects.at[i], 0, 1), extent(m.points.at[i], 0.02, 0.98)))));

	function draw() {
		const m = draws.methods[state.method], {points} = m;
		const first = (state.temperature * draws.seeds.length + state.seed) * draws.number;
		if (state.share !== null) state.selected = Math.max(1, Math.round(state.share / 100 * state.drawn));
		const number = m.all ? state.drawn : Math.min(state.selected, state.drawn);
		const order = leastLikely(points.nll, first, state.drawn);
		const kept = order.slice(0, number);
		if (!kept.includes(state.chosen)) state.chosen = kept[0];

		temperature.set(state.temperature, fixed(draws.temperatures[state.temperature]));
		drawn.set(state.drawn, state.drawn);
		selected.set(number, m.all ? "all" : number, state.drawn, m.all);
		share.set(Math.round(200 * number / state.drawn), `${fixed(100 * number / state.drawn, 1)} %`, 200, m.all);
		seed.set(state.seed, draws.seeds[state.seed]);

		const {x, y} = state;
		plot.begin(ranges[state.method][x], ranges[state.method][y], axes[x], axes[y]);
		for (const i of order.slice(number))
			plot.point("circle", points.at[x][i], points.at[y][i], page.colors.drawn, {size: 1.8, opacity: 0.6, what: {sample: i}});
		for (const g of groups) for (const i of g.objects)
			plot.point(g.shape, objects.at[x][i], objects.at[y][i], g.color, {size: 3, opacity: 0.65, what: {object: i}});
		const near = nearestTo(points, state.chosen);
		for (const i of near) plot.point("circle", objects.at[x][i], objects.at[y][i], "", {size: 6, ring: "#000"});
		for (const i of kept.toReversed())
			plot.point("circle", points.at[x][i], points.at[y][i], page.colors.selected, {size: 4.5, ring: "#000", what: {sample: i, selected: true}});
		plot.point("circle", points.at[x][state.chosen], points.at[y][state.chosen], "", {size: 8, ring: "#000"});

		const row = (mark, name, indices, of, hasNLL, strong) => make("tr", strong ? {class: "strong"} : {},
			make("td", {}, mark, name), ...[indices.length, hasNLL ? fixed(mean(of.nll, indices), 1) : "–", fixed(mean(of.energy, indices))].map((v) => make("td", {}, String(v))));
		table.replaceChildren(
			make("tr", {}, ...["features of", "n", "mean NLL", "mean energy"].map((text) => make("th", {}, text))),
			...groups.map((g) => row(swatch(g.shape, g.color), g.unknown ? `unknown: ${g.name}` : g.name, g.objects, objects, page.nll)),
			row("", "all known classes", known, objects, page.nll),
			row(swatch("circle", page.colors.drawn), `all draws (${m.name})`, order, points, m.density),
			row(swatch("circle", page.colors.selected, true), "selected: outliers", kept, points, m.density, true));
		const threshold = points.nll[kept.at(-1)], below = known.filter((i) => objects.nll[i] < threshold).length;
		summary.textContent = `${kept.length} of ${state.drawn} drawn are selected: mean energy ${fixed(mean(points.energy, kept))}, ` +
			`of known objects ${fixed(mean(objects.energy, known))} nats.` +
			(m.density ? ` Their NLL under ${m.density} is ${fixed(threshold, 1)} nats or more` +
				(m.own ? "." : `, which ${fixed(100 * below / known.length, 0)} % of the known objects do not reach.`) : "") +
			(plot.outside ? ` Outside the axes: ${plot.outside}.` : "");
		nearestTitle.textContent =
			`The ringed outlier (${m.density ? `NLL ${fixed(points.nll[state.chosen], 1)}, ` : ""}energy ${fixed(points.energy[state.chosen])}) and the real objects with the nearest features:`;
		nearest.replaceChildren(...near.map((i) => cropWithName(page, i)));
	}

	figure.append(make("section", {class: "draws"},
		make("h4", {}, "Synthetic outliers among real features"),
		make("div", {class: "controls"},
			select("method", "method", draws.methods.map((m) => m.name), 0, (v) => change({method: v}), draws.methods.map((m) => m.name)),
			temperature.element, drawn.element, selected.element, share.element,
			seed.element, nextSeed,
			select("x", "x", axes, 0, (v) => change({x: v})), select("y", "y", axes, 1, (v) => change({y: v}))),
		make("div", {}, plot.canvas, summary),
		make("div", {}, table, nearestTitle, nearest)));
	redrawn(draw);
};
