// The way from one object to another through latent space, and the energy on it.

const pathView = (store, live) => {
	const {page, state, count, energy, nll} = store, {paths, objects} = page;
	if (!paths.ends && !page.live) return null;
	const stored = (paths.ends ?? []).map((ends, i) => ({ends, steps: paths.steps, points: paths.points, straight: paths.straight, first: i * paths.steps}));
	const ends = [...new Set((paths.ends ?? []).flat())].sort((a, b) => a - b);
	const titleOf = (object) => {
		const group = page.groupOf[object], twins = ends.filter((other) => page.groupOf[other] === group);
		return group.name + (!twins.includes(object) ? ` (object ${object})` : twins.length > 1 ? ` (${twins.indexOf(object) + 1})` : "");
	};
	let from = ends[0], to = ends[1], way = stored[0], backwards = false, t = way ? Math.round((way.steps - 1) / 2) : 0;

	const plane = newChart("way"), profile = newChart("profile"), tip = newTip(store.figure);
	const note = make("p", {class: "say", "data-show": "path"}), crops = make("div", {class: "crops"}), endCrops = make("div", {class: "crops"});
	const position = slider("position", "position", way ? way.steps - 1 : 1, (v) => { t = v; store.change("path"); });
	const chooseFrom = select("from", "from", ends.map(titleOf), 0, (i) => choose(ends[i], to)), chooseTo = select("to", "to", ends.map(titleOf), 1, (i) => choose(from, ends[i]));
	const between = button("between the two selected objects", "between", () => choose(...[...state.picked].filter((id) => id < count)), {disabled: true});

	// choose takes the page's way, there or back, or asks the process for one.
	async function choose(a, b) {
		[from, to] = [a, b];
		const is = (a, b) => stored.find(({ends}) => ends[0] === a && ends[1] === b);
		way = is(a, b) ?? is(b, a) ?? null;
		if (!way && a !== b && live.connected) {
			const found = await live.path(a, b);
			if (found) {
				way = {...found, ends: [a, b], first: 0};
				stored.push(way);
			}
		}
		backwards = way !== null && way.ends[0] !== a;
		for (const id of [a, b]) if (!ends.includes(id)) ends.push(id);
		chooseFrom.fill(ends.map(titleOf));
		chooseTo.fill(ends.map(titleOf));
		store.change("path");
	}
	const at = (step) => way.first + (backwards ? way.steps - 1 - step : step);
	const say = (step) => `${Math.round(100 * step / (way.steps - 1))} % of the way\nNLL ${fixed(way.points.columns[nll][at(step)], 1)} nats\n` +
		`energy ${fixed(way.points.columns[energy][at(step)])} nats\non the straight line ${fixed(way.straight[at(step)])} nats`;
	for (const chart of [plane, profile]) chart.on = {
		plotly_click: ({points: [{data, pointNumber}]}) => { if (data.steps) setTimeout(() => { t = pointNumber; store.change("path"); }); },
		plotly_hover: ({points: [{data, pointNumber}], event}) => { if (data.steps) tip.show(event, say(pointNumber)); },
		plotly_unhover: tip.hide,
	};

	store.views.push(async (whats) => {
		if (any(whats, "picked", "live")) {
			const two = [...state.picked].filter((id) => id < count);
			between.disabled = two.length !== 2 || !live.connected && !stored.some(({ends}) => ends.every((id) => two.includes(id)));
		}
		if (!any(whats, "path")) return;
		chooseFrom.set(ends.indexOf(from));
		chooseTo.set(ends.indexOf(to));
		position.set(t, way ? `${Math.round(100 * t / (way.steps - 1))} %` : "–", way ? way.steps - 1 : 1, !way);
		if (!way) {
			note.textContent = from === to ? "Choose two different objects." : "The page holds no way between these; with the cell running it computes one.";
			crops.replaceChildren();
			endCrops.replaceChildren();
			await plane.draw([], layout({title: ""}, {title: ""}));
			await profile.draw([], layout({title: ""}, {title: ""}));
			return;
		}
		const steps = range(0, way.steps), of = (values) => steps.map((i) => values[at(i)]);
		const {ring, line} = theme(), marks = {type: "scatter", hoverinfo: "none", steps: true};
		const ground = (kind, color) => {
			const ids = page.groups.filter((g) => (g.unknown ? "unknown" : "known") === kind).flatMap((g) => g.objects);
			return {type: "scatter", mode: "markers", hoverinfo: "skip", x: ids.map((i) => objects.columns[0][i]), y: ids.map((i) => objects.columns[1][i]), marker: {color: ink(color), size: 4, opacity: 0.3}};
		};
		const [px, py] = [of(way.points.columns[0]), of(way.points.columns[1])];
		await plane.draw([
			ground("known", "#0072b2"), ground("unknown", "#d55e00"),
			{...marks, mode: "lines+markers", x: px, y: py, line: {color: ring, width: 1.8}, marker: {size: 5, color: ring}},
			{type: "scatter", mode: "markers", hoverinfo: "skip", x: [px[t]], y: [py[t]], marker: {size: 13, color: page.colors.selected, line: {color: ring, width: 1.3}}},
		], layout({title: page.columns[0].name}, {title: page.columns[1].name}, {height: 330}));
		const [energies, straight] = [of(way.points.columns[energy]), of(way.straight)], share = steps.map((i) => 100 * i / (way.steps - 1));
		await profile.draw([
			{...marks, name: "through the latents", mode: "lines+markers", x: share, y: energies, line: {color: ring, width: 2}, marker: {size: 5}},
			{...marks, name: "straight line", mode: "lines", x: share, y: straight, line: {color: line, width: 1.5, dash: "dash"}},
			{type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false, x: [share[t]], y: [energies[t]], marker: {size: 12, color: page.colors.selected, line: {color: ring, width: 1.3}}},
		], layout({title: "per cent of the way"}, {title: "energy (nats)"}, {height: 270, showlegend: true, legend: {orientation: "h", y: 1.02, yanchor: "bottom", x: 0}, margin: {...margin, t: 30}}));
		note.textContent = say(t).replaceAll("\n", ", ") + ". Nearest real objects:";
		crops.replaceChildren(...nearestTo(way.points, at(t)).map((i) => cropButton(store, i)));
		endCrops.replaceChildren(cropButton(store, from), cropButton(store, to));
	});
	return make("section", {class: "path"}, make("h4", {}, "From one object to another"),
		make("div", {class: "controls"}, chooseFrom.element, chooseTo.element, between, position.element),
		make("div", {class: "two"}, make("div", {}, plane.div, profile.div), make("div", {}, note, crops, make("p", {class: "say"}, "From and to:"), endCrops)));
};
