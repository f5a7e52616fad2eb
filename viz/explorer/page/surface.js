// The energy over the plane through three mean features.

const surfaceView = (store) => {
	const {page} = store, {surfaces} = page;
	if (!surfaces?.length) return null;
	let chosen = 0;
	const chart = newChart("surface"), numbers = make("div"), note = make("p", {class: "say"}), tip = newTip(store.figure);
	const list = select("plane through the means of", "corners", surfaces.map((s) => s.corners.map((corner) => corner.Name).join(", ")), 0, (v) => {
		chosen = v;
		store.change("surface");
	});
	chart.on = {
		plotly_hover: ({points: [{data, pointNumber, z}], event}) => tip.show(event, data.corners ? `mean of ${data.corners[pointNumber].Name}\nenergy ${fixed(data.corners[pointNumber].Energy)} nats` : `energy ${fixed(z)} nats`),
		plotly_unhover: tip.hide,
	};
	store.views.push(async (whats) => {
		if (!any(whats, "surface")) return;
		const s = surfaces[chosen], n = s.number, z = s.values ??= floats(s.z), {ring} = theme();
		const along = ([a, b]) => range(0, n).map((i) => a + (b - a) * i / (n - 1));
		const scale = darkQuery.matches ? [[0, "#25252a"], [1, "#9fb8d8"]] : [[0, "#f4f4f6"], [1, "#5f82ad"]];
		await chart.draw([
			{type: "contour", x: along(s.x), y: along(s.y), z: range(0, n).map((j) => z.subarray(j * n, (j + 1) * n)), hoverinfo: "none", colorscale: scale, ncontours: 12,
				line: {color: theme().line, width: 0.7}, colorbar: {title: {text: "energy (nats)", side: "right"}, thickness: 12, outlinewidth: 0}},
			{type: "scatter", mode: "markers+text", x: s.corners.map((c) => c.X), y: s.corners.map((c) => c.Y), text: s.corners.map((c) => plain(c.Name)), textposition: "top right", hoverinfo: "none", corners: s.corners,
				marker: {size: 11, color: page.colors.selected, line: {color: ring, width: 1.3}}},
		], layout({title: "within the plane (units of the features)", range: s.x}, {title: "", range: s.y}, {height: 480, margin: {...margin, r: 84}}));
		numbers.replaceChildren(table(["mean feature of", "energy (nats)"], s.corners.map((corner) => make("tr", {}, make("td", {}, corner.Name), make("td", {}, fixed(corner.Energy))))));
		const [low, high] = extent([...z]);
		note.textContent = `Higher is more inlier. In this plane the energy goes from ${fixed(low)} to ${fixed(high)} nats.`;
	});
	return make("section", {class: "surface"}, make("h4", {}, "Energy around the means"), make("div", {class: "controls"}, list.element),
		make("div", {class: "two"}, chart.div, make("div", {}, numbers, note)));
};
