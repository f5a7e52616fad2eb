// The second view: from one object to another through latent space, and the energy on the way.
const pathView = (page, figure, redrawn) => {
	const {paths, objects, groups, axes} = page;
	if (!paths.ends) return;
	const ends = [...new Set(paths.ends.flat())].sort((a, b) => a - b);
	const last = paths.steps - 1;
	const names = ends.map((object) => {
		const group = page.groupOf[object], twins = ends.filter((other) => page.groupOf[other] === group);
		return group.name + (twins.length > 1 ? ` (${twins.indexOf(object) + 1})` : "");
	});
	const state = {from: paths.ends[0][0], to: paths.ends[0][1], t: Math.round(last / 2)};
	const change = (news) => redrawn(() => { Object.assign(state, news); draw(); });
	const t = slider("position", "position", last, (v) => change({t: v}));
	const tipFor = (what) => "object" in what ? [describe(page, what.object), crop(page, what.object, 48)] : say(what.step);
	const plane = new Plot(figure, "way", 620, 340, tipFor, (what) => { if ("step" in what) change({t: what.step}); });
	const profile = new Plot(figure, "profile", 620, 240, tipFor, (what) => { if ("step" in what) change({t: what.step}); });
	const note = make("p", {class: "say"}), crops = make("div", {class: "crops nearest"}), endCrops = make("div", {class: "crops"});

	// at is the place of a step in the columns. A way back is the way there, read backwards.
	function at(step) {
		const is = (from, to) => paths.ends.findIndex(([a, b]) => a === from && b === to);
		const there = is(state.from, state.to);
		return there >= 0 ? there * paths.steps + step : is(state.to, state.from) * paths.steps + last - step;
	}
	function say(step) {
		const i = at(step);
		return `${Math.round(100 * step / last)} % of the way\nNLL ${fixed(paths.points.nll[i], 1)} nats\nenergy ${fixed(paths.points.energy[i])} nats` +
			`\non the straight line ${fixed(paths.straight[i])} nats`;
	}
	const planeRanges = [0, 1].map((i) => widen(join(extent(objects.at[i], 0, 1), extent(paths.points.at[i], 0, 1))));
	const energies = widen(join(extent(paths.points.energy, 0, 1), extent(paths.straight, 0, 1)));

	function draw() {
		const same = state.from === state.to;
		const steps = same ? [] : range(0, paths.steps), on = steps.map(at);
		t.set(state.t, `${Math.round(100 * state.t / last)} %`);
		plane.begin(...planeRanges, axes[0], axes[1]);
		for (const g of groups) for (const i of g.objects)
			plane.point(g.shape, objects.at[0][i], objects.at[1][i], g.color, {size: 2.4, opacity: 0.35, what: {object: i}});
		plane.line(on.map((i) => paths.points.at[0][i]), on.map((i) => paths.points.at[1][i]), page.colors.path);
		profile.begin([0, 100], energies, "way from the first object to the second (%)", "energy (nats)");
		const along = steps.map((step) => 100 * step / last);
		profile.line(along, on.map((i) => paths.straight[i]), page.colors.drawn, {dashes: [5, 4]});
		profile.line(along, on.map((i) => paths.points.energy[i]), page.colors.path);
		for (const step of steps) {
			const here = step === state.t, style = {size: here ? 6 : 2.2, ring: here ? "#000" : "", what: {step}}, i = on[step];
			plane.point("circle", paths.points.at[0][i], paths.points.at[1][i], here ? page.colors.selected : page.colors.path, style);
			profile.point("circle", along[step], paths.points.energy[i], here ? page.colors.selected : page.colors.path, style);
		}
		endCrops.replaceChildren(cropWithName(page, state.from, "from "), cropWithName(page, state.to, "to "));
		note.textContent = same ? "Choose two different objects." :
			say(state.t).replaceAll("\n", ", ") + ". Through latent space: solid; straight through the features: dashed. Nearest real objects at this position:";
		crops.replaceChildren(...(same ? [] : nearestTo(paths.points, on[state.t]).map((i) => cropWithName(page, i))));
	}

	figure.append(make("section", {class: "path"},
		make("h4", {}, "From one object to another through latent space"),
		make("div", {class: "controls"},
			select("from", "from", names, ends.indexOf(state.from), (v) => change({from: ends[v]})),
			select("to", "to", names, ends.indexOf(state.to), (v) => change({to: ends[v]})), t.element),
		make("div", {}, plane.canvas, profile.canvas),
		make("div", {}, endCrops, note, crops)));
	redrawn(draw);
};
