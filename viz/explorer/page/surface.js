// The third view: the energy over the plane through three mean features.
const surfaceView = (page, figure, redrawn) => {
	const {surfaces} = page;
	if (!surfaces?.length) return;
	let chosen = 0;
	const high = 520, plot = new Plot(figure, "surface", 620, high, (what) => `mean of ${what.name}\nenergy ${fixed(what.energy)} nats`);
	const table = make("table"), note = make("p", {class: "say"});

	// height interpolates the grid; u and v go from 0 to 1 along x and y.
	const height = (z, n, u, v) => {
		const a = u * (n - 1), b = v * (n - 1), i = Math.min(n - 2, Math.floor(a)), j = Math.min(n - 2, Math.floor(b)), f = a - i, g = b - j, k = j * n + i;
		return (z[k] * (1 - f) + z[k + 1] * f) * (1 - g) + (z[k + n] * (1 - f) + z[k + n + 1] * f) * g;
	};

	function draw() {
		const s = surfaces[chosen], z = s.values ??= column(s.z);
		const low = s.z.min, top = low + 65535 * s.z.step || low + 1, step = niceStep((top - low) / 10), decimals = Math.max(0, Math.ceil(-Math.log10(step)));
		plot.begin(s.x, s.y, "within the plane through the three means (units of the features)", "");
		const {left, inner, density, c} = plot, w = Math.round(inner.w * density), h = Math.round(inner.h * density);
		const image = c.createImageData(w, h), bandOf = new Int32Array(w);
		for (let row = 0; row < h; row++) {
			let before = null;
			for (let i = 0; i < w; i++) {
				const value = height(z, s.number, (i + 0.5) / w, 1 - (row + 0.5) / h), band = Math.floor(value / step);
				const edge = before !== null && band !== before || row > 0 && band !== bandOf[i];
				before = bandOf[i] = band;
				const light = edge ? 0.45 : 0.95 - 0.6 * Math.min(1, Math.max(0, (band * step - low) / (top - low)));
				const k = 4 * (row * w + i);
				image.data[k] = image.data[k + 1] = 255 * light;
				image.data[k + 2] = 255 * Math.min(1, light + 0.03);
				image.data[k + 3] = 255;
			}
		}
		c.putImageData(image, left * density, plot.top * density);
		for (const corner of s.corners) {
			plot.point("circle", corner.X, corner.Y, page.colors.selected, {size: 6, ring: "#000", what: {name: corner.Name, energy: corner.Energy}});
			plot.text(corner.Name, corner.X, corner.Y, 9, -6);
		}
		plot.ground = (x, y) => plot.within(x, y) &&
			`energy ${fixed(height(z, s.number, (x - left) / inner.w, 1 - (y - plot.top) / inner.h))} nats`;
		table.replaceChildren(make("tr", {}, make("th", {}, "mean feature of"), make("th", {}, "energy (nats)")),
			...s.corners.map((corner) => make("tr", {}, make("td", {}, corner.Name), make("td", {}, fixed(corner.Energy)))));
		note.textContent = `Darker is higher, more inlier. A line every ${fixed(step, decimals)} nats; in this plane from ${fixed(low)} to ${fixed(top)}.`;
	}

	figure.append(make("section", {class: "surface"},
		make("h4", {}, "Energy around the means"),
		make("div", {class: "controls"}, select("plane through the means of", "corners", surfaces.map((s) => s.corners.map((corner) => corner.Name).join(", ")), 0,
			(v) => redrawn(() => { chosen = v; draw(); }))),
		make("div", {}, plot.canvas), make("div", {}, table, note)));
	redrawn(draw);
};
