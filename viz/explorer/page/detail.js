// The chosen point: an object's whole picture with its box, its numbers, and the real objects with the nearest features.

const detailView = (store) => {
	const {state, page, count, columns} = store;
	const title = make("h4", {"data-show": "chosen"}), whole = make("div", {"data-show": "whole"}), numbers = make("div", {class: "numbers", "data-show": "numbers"});
	const caption = make("p", {class: "say"}), crops = make("div", {class: "crops", "data-show": "crops"});
	const pictures = new Map(); // addresses of what was looked at

	function picture(id) {
		const {picture: place, box: [x0, y0, x1, y1], source} = page.about[id];
		if (place < 0) return [crop(page, id, 144)];
		const {jpeg, width, height} = page.pictures[place];
		if (!pictures.has(place)) pictures.set(place, URL.createObjectURL(new Blob([bytes(jpeg)], {type: "image/jpeg"})));
		const box = make("div", {class: "box"});
		Object.assign(box.style, {left: `${100 * x0 / width}%`, top: `${100 * y0 / height}%`, width: `${100 * (x1 - x0) / width}%`, height: `${100 * (y1 - y0) / height}%`});
		const frame = make("div", {class: "whole"}, make("img", {alt: `${source || "image"} with the box of ${nameOf(page, id)}`, src: pictures.get(place)}), box);
		frame.style.aspectRatio = `${width} / ${height}`;
		frame.style.maxWidth = `${Math.round(300 * Math.min(1.3, width / height))}px`;
		return [frame, make("p", {class: "say"}, source)];
	}

	store.views.push((whats) => {
		if (!any(whats, "draw", "chosen")) return;
		const id = state.chosen, real = id < count;
		title.textContent = real ? describe(store, id).split("\n")[0] : describe(store, id).split("\n")[0] + ` ${id - count + 1} of ${state.drawn}`;
		whole.replaceChildren(...real ? picture(id) : []);
		const rows = columns.map((c, i) => [c.name, i]).filter(([, i]) => store.has(i, id))
			.map(([name, i]) => make("tr", {}, make("td", {}, name), make("td", {}, fixed(store.value(i, id), 3))));
		numbers.replaceChildren(make("table", {}, ...rows.slice(page.axes), ...rows.slice(0, page.axes)));
		caption.textContent = "The real objects with the nearest features:";
		crops.replaceChildren(...store.near(id).map((i) => cropButton(store, i)));
	});
	return {
		place: make("section", {class: "detail"}, title, whole, caption, crops),
		numbers: make("details", {open: true}, make("summary", {}, "numbers of the chosen point"), numbers),
	};
};
