// An explorer of synthetic outliers: everything that it shows is in its arguments. See Explorer in explorer.go.
window.vizExplorer = (id, data, numbers, synthetic) => {
	const root = document.getElementById(id);
	const bytes = Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0));
	const floats = new Float32Array(bytes.buffer);
	const axes = data.axes.length;
	const value = (cloud, i, axis) => floats[cloud.at + i * axes + axis];
	const nll = (cloud, i) => floats[cloud.at + cloud.n * axes + i];
	const energy = (cloud, i) => floats[cloud.at + cloud.n * (axes + 1) + i];
	const set = (name) => root.querySelector(`[data-set="${name}"]`);
	const show = (name) => root.querySelector(`[data-show="${name}"]`);
	const distinct = (values) => [...new Set(values)];
	const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
	const option = (select, value, text) => select.add(new Option(text, value));

	const methods = distinct(data.draws.map((d) => d.name));
	methods.forEach((m) => option(set("method"), m, m));
	data.axes.forEach((name, i) => { option(set("x"), i, name); option(set("y"), i, name); });
	set("y").value = 1;
	data.paths.forEach((p, i) => option(set("path"), i, p.name));
	if (data.paths.length === 0) {
		show("pathrow").hidden = show("path").hidden = true;
	}
	const inlierEnergy = mean(Array.from({length: data.real[0].n}, (_, i) => energy(data.real[0], i)));

	const ofMethod = () => data.draws.filter((d) => d.name === set("method").value);
	const temperatures = () => distinct(ofMethod().map((d) => d.temperature)).sort((a, b) => a - b);
	const seeds = () => distinct(ofMethod().map((d) => d.seed)).sort((a, b) => a - b);
	const draw = () => ofMethod().find((d) => d.temperature === temperatures()[set("temperature").value] && d.seed === seeds()[set("seed").value]);

	// methodChanged fits the sliders to what the method has drawn.
	const methodChanged = () => {
		const t = temperatures();
		const slider = set("temperature");
		const before = slider.dataset.value ?? "1";
		slider.max = t.length - 1;
		slider.disabled = t.length < 2;
		slider.value = Math.max(0, t.indexOf(Number(before)));
		set("seed").max = seeds().length - 1;
		if (!set("seed").dataset.touched) set("seed").value = 0;
		const n = Math.max(...ofMethod().map((d) => d.n));
		set("drawn").max = n;
		if (!set("drawn").dataset.touched) set("drawn").value = n;
		byChanged();
	};
	const byChanged = () => {
		const slider = set("selected");
		if (set("by").value === "number") {
			slider.max = set("drawn").value;
			slider.value = slider.dataset.number ?? data.select;
		} else {
			slider.max = 99;
			slider.value = slider.dataset.quantile ?? 95;
		}
	};

	// pick returns the draws that count, and which of them are selected.
	const pick = () => {
		const d = draw();
		const n = Math.min(d.n, set("drawn").valueAsNumber);
		const order = Array.from({length: n}, (_, i) => i);
		const by = set("by").value;
		const limit = set("selected").valueAsNumber;
		let selected;
		if (d.all) selected = order;
		else if (by === "number") selected = [...order].sort((a, b) => nll(d, b) - nll(d, a) || a - b).slice(0, limit);
		else selected = order.filter((i) => nll(d, i) > data.quantiles[d.name][limit]);
		return {d, n, selected: new Set(selected)};
	};

	let points = []; // what the pointer can find: {x, y, text, near}
	let chosen = null;
	const ticks = (low, high) => {
		const raw = (high - low) / 5;
		const power = 10 ** Math.floor(Math.log10(raw));
		const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
		const out = [];
		for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(Number(v.toPrecision(8)));
		return out;
	};
	const frame = (canvas, height, xs, ys, xLabel, yLabel) => {
		const ratio = window.devicePixelRatio || 1;
		const width = 744;
		canvas.width = width * ratio;
		canvas.height = height * ratio;
		canvas.style.width = width + "px";
		const c = canvas.getContext("2d");
		c.scale(ratio, ratio);
		c.clearRect(0, 0, width, height);
		const box = {left: 58, right: width - 12, top: 8, bottom: height - 38};
		const px = (v) => box.left + (v - xs[0]) / (xs[1] - xs[0]) * (box.right - box.left);
		const py = (v) => box.bottom - (v - ys[0]) / (ys[1] - ys[0]) * (box.bottom - box.top);
		c.font = "12px Arial, Helvetica, sans-serif";
		c.fillStyle = "#303030";
		c.strokeStyle = "#e6e6e6";
		c.textAlign = "center";
		for (const v of ticks(...xs)) {
			c.beginPath(); c.moveTo(px(v), box.top); c.lineTo(px(v), box.bottom); c.stroke();
			c.fillText(v, px(v), box.bottom + 15);
		}
		c.fillText(xLabel, (box.left + box.right) / 2, height - 6);
		c.textAlign = "right";
		for (const v of ticks(...ys)) {
			c.beginPath(); c.moveTo(box.left, py(v)); c.lineTo(box.right, py(v)); c.stroke();
			c.fillText(v, box.left - 6, py(v) + 4);
		}
		c.save();
		c.translate(14, (box.top + box.bottom) / 2);
		c.rotate(-Math.PI / 2);
		c.textAlign = "center";
		c.fillText(yLabel, 0, 0);
		c.restore();
		return {c, px, py, box};
	};
	const range = (values) => {
		let low = Math.min(...values), high = Math.max(...values);
		const air = 0.05 * (high - low) || 1;
		return [low - air, high + air];
	};
	// extent is of an axis over the real objects and a draw, without the farthest hundredth of the latter, so that the picture keeps its scale.
	const extent = (axis, d) => {
		const values = [];
		for (const g of data.real) for (let i = 0; i < g.n; i++) values.push(value(g, i, axis));
		const drawn = Array.from({length: d.n}, (_, i) => value(d, i, axis)).sort((a, b) => a - b);
		values.push(drawn[Math.floor(0.01 * drawn.length)], drawn[Math.ceil(0.99 * drawn.length) - 1]);
		return range(values);
	};
	const text = (name, cloud, i) => [name + (cloud.labels ? ": " + cloud.labels[i] : ""), `NLL ${nll(cloud, i).toFixed(1)}`, `energy ${energy(cloud, i).toFixed(2)}`].join("\n");

	const redraw = () => {
		const begin = performance.now();
		const {d, n, selected} = pick();
		const temperature = set("temperature");
		temperature.dataset.value = d.temperature || temperature.dataset.value;
		temperature.nextSibling.textContent = d.temperature ? d.temperature.toFixed(2) : "none";
		set("seed").nextSibling.textContent = d.seed;
		set("drawn").nextSibling.textContent = n;
		const by = set("by").value;
		set("selected").disabled = !!d.all;
		set("selected").nextSibling.textContent = d.all ? "all" : by === "number" ? set("selected").value : set("selected").value + " %";

		const ax = Number(set("x").value), ay = Number(set("y").value);
		const {c, px, py, box} = frame(show("scatter"), 460, extent(ax, d), extent(ay, d), data.axes[ax], data.axes[ay]);
		points = [];
		let outside = 0;
		c.save();
		c.beginPath(); c.rect(box.left, box.top, box.right - box.left, box.bottom - box.top); c.clip();
		const dot = (x, y, color, radius, alpha) => {
			c.globalAlpha = alpha;
			c.fillStyle = color;
			c.beginPath(); c.arc(x, y, radius, 0, 2 * Math.PI); c.fill();
		};
		const place = (name, cloud, i, color, radius, alpha) => {
			const x = px(value(cloud, i, ax)), y = py(value(cloud, i, ay));
			if (x < box.left || x > box.right || y < box.top || y > box.bottom) { outside++; return; }
			dot(x, y, color, radius, alpha);
			points.push({x, y, text: text(name, cloud, i), near: cloud.near ? cloud.near[i] : null, name});
		};
		for (let i = 0; i < n; i++) if (!selected.has(i)) place("drawn, not selected", d, i, "#7a7a7a", 2.5, 0.45);
		for (const g of data.real) for (let i = 0; i < g.n; i++) place(g.name, g, i, g.color, 2.5, 0.6);
		if (data.paths.length > 0) {
			const p = data.paths[set("path").value];
			c.globalAlpha = 0.9; c.strokeStyle = "#202020"; c.lineWidth = 1.5;
			c.beginPath();
			for (let i = 0; i < p.n; i++) c[i ? "lineTo" : "moveTo"](px(value(p, i, ax)), py(value(p, i, ay)));
			c.stroke();
		}
		for (const i of selected) {
			place("synthetic outlier", d, i, synthetic, 4.5, 1);
			const x = px(value(d, i, ax)), y = py(value(d, i, ay));
			c.strokeStyle = "#202020"; c.lineWidth = 1; c.globalAlpha = 1;
			c.beginPath(); c.arc(x, y, 4.5, 0, 2 * Math.PI); c.stroke();
		}
		c.restore();
		show("legend").replaceChildren(...[...data.real.map((g) => [g.color, `${g.name} (${g.n})`]),
			["#7a7a7a", `drawn, not selected (${n - selected.size})`], [synthetic, `selected (${selected.size})`]].map(([color, label]) => {
			const item = document.createElement("span"), sample = document.createElement("i");
			sample.style.background = color;
			item.append(sample, label);
			return item;
		}));
		const energies = [...selected].map((i) => energy(d, i)), likelihoods = [...selected].map((i) => nll(d, i));
		show("summary").textContent = `${selected.size} of ${n} drawn are selected` + (selected.size
			? `: mean energy ${mean(energies).toFixed(2)}, mean NLL ${mean(likelihoods).toFixed(1)}; ` : "; ")
			+ `inliers have a mean energy of ${inlierEnergy.toFixed(2)}.` + (outside ? ` Outside the picture: ${outside}.` : "");
		root.dataset.redraw = (performance.now() - begin).toFixed(1);
	};

	const drawPath = () => {
		if (data.paths.length === 0) return;
		const p = data.paths[set("path").value];
		const along = Array.from({length: p.n}, (_, i) => i / (p.n - 1));
		const energies = along.map((_, i) => energy(p, i));
		const {c, px, py} = frame(show("path"), 190, [0, 1], range([...energies, inlierEnergy]), "part of the way", "energy (nats)");
		c.strokeStyle = "#7a7a7a"; c.setLineDash([5, 4]);
		c.beginPath(); c.moveTo(px(0), py(inlierEnergy)); c.lineTo(px(1), py(inlierEnergy)); c.stroke();
		c.fillStyle = "#7a7a7a"; c.textAlign = "right"; c.fillText("mean of inliers", px(1) - 4, py(inlierEnergy) - 5);
		c.setLineDash([]); c.strokeStyle = "#202020"; c.lineWidth = 1.5;
		c.beginPath();
		along.forEach((t, i) => c[i ? "lineTo" : "moveTo"](px(t), py(energies[i])));
		c.stroke();
		show("pathtext").textContent = `energy ${energies[0].toFixed(2)} to ${energies[p.n - 1].toFixed(2)}, least ${Math.min(...energies).toFixed(2)}; `
			+ `NLL ${nll(p, 0).toFixed(1)} to ${nll(p, p.n - 1).toFixed(1)}, least ${Math.min(...along.map((_, i) => nll(p, i))).toFixed(1)}`;
		if (chosen === null) showCrops([p.from, p.to], "The ends of the way. Click a synthetic feature for the real objects whose features lie nearest:");
	};
	const showCrops = (places, words) => {
		show("chosen").textContent = words;
		show("crops").replaceChildren(...places.filter((i) => data.crops[i]).map((i) => {
			const figure = document.createElement("figure"), image = new Image();
			image.src = data.crops[i].url;
			image.alt = data.crops[i].label;
			const caption = document.createElement("figcaption");
			caption.textContent = data.crops[i].label;
			figure.append(image, caption);
			return figure;
		}));
	};

	const found = (event) => {
		const canvas = show("scatter"), rect = canvas.getBoundingClientRect(), scale = 744 / rect.width;
		const x = (event.clientX - rect.left) * scale, y = (event.clientY - rect.top) * scale;
		let best = null, distance = 9 * 9;
		for (const p of points) {
			const d = (p.x - x) ** 2 + (p.y - y) ** 2;
			if (d <= distance) { best = p; distance = d; }
		}
		return best;
	};
	show("scatter").addEventListener("mousemove", (event) => {
		const p = found(event), tip = show("tip");
		tip.style.visibility = p ? "visible" : "hidden";
		if (!p) return;
		tip.textContent = p.text;
		const rect = root.getBoundingClientRect();
		tip.style.left = Math.min(event.clientX - rect.left + 12, rect.width - 160) + "px";
		tip.style.top = event.clientY - rect.top + 12 + "px";
	});
	show("scatter").addEventListener("mouseleave", () => { show("tip").style.visibility = "hidden"; });
	show("scatter").addEventListener("click", (event) => {
		const p = found(event);
		if (!p || !p.near) return;
		chosen = p;
		showCrops(p.near, `Nearest real objects to this feature (${p.text.split("\n").slice(1).join(", ")}), the nearest first:`);
	});
	root.addEventListener("input", (event) => {
		const name = event.target.dataset.set;
		if (name === "method") methodChanged();
		if (name === "drawn") { event.target.dataset.touched = "1"; if (set("by").value === "number") set("selected").max = event.target.value; }
		if (name === "seed") event.target.dataset.touched = "1";
		if (name === "by") byChanged();
		if (name === "selected") event.target.dataset[set("by").value] = event.target.value;
		if (name === "path") { chosen = null; drawPath(); }
		redraw();
	});
	methodChanged();
	redraw();
	drawPath();
};
