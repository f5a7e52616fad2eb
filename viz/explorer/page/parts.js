// Pieces of the page.

const make = (tag, properties = {}, ...children) => {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name === "class") element.className = value;
		else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
};

// slider is a labelled range of whole positions; set changes its position, its last one and the text beside it.
const slider = (label, name, last, moved, first = 0) => {
	const input = make("input", {type: "range", "data-set": name, min: first, max: last, step: 1, oninput: () => moved(input.valueAsNumber)});
	const output = make("output");
	return {
		element: make("label", {}, label, input, output),
		set: (position, text, end = last, off = false) => {
			input.disabled = off;
			input.max = end;
			input.valueAsNumber = position;
			output.textContent = text;
		},
	};
};

// select is a labelled list, of which the places count as values unless there are names.
const select = (label, name, options, chosen, changed, values = options.map((_, i) => i)) => {
	const list = make("select", {"data-set": name, oninput: () => changed(list.selectedIndex)},
		...options.map((text, i) => make("option", {value: values[i]}, text)));
	list.selectedIndex = chosen;
	return make("label", {}, label, list);
};

// crop shows an object's picture at a size in pixels.
const crop = (page, object, size) => {
	const {columns, rows, src, side} = page.crops;
	const tile = make("img", {src: "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", alt: nameOf(page, object)});
	Object.assign(tile.style, {
		backgroundImage: `url(${src})`, backgroundSize: `${columns * size}px ${rows * size}px`,
		backgroundPosition: `${-(object % columns) * size}px ${-Math.floor(object / columns) * size}px`,
		imageRendering: size > side * 2 ? "pixelated" : "auto",
	});
	return tile;
};

const cropWithName = (page, object, title = "") =>
	make("div", {class: "crop", "data-object": object}, crop(page, object, 72),
		`${title}${nameOf(page, object)}, energy ${fixed(page.objects.energy[object])}`);

const nameOf = (page, object) => page.labels[object] ? `${page.labels[object]} (${page.groupOf[object].name})` : page.groupOf[object].name;

// describe says what an object is.
const describe = (page, object) => {
	const group = page.groupOf[object];
	return `${group.unknown ? "unknown, " : "class "}${nameOf(page, object)}${page.nll ? `\nNLL ${fixed(page.objects.nll[object], 1)} nats` : ""}\nenergy ${fixed(page.objects.energy[object])} nats`;
};

// swatch is a group's mark in a legend.
const swatch = (shape, color, strong) => {
	const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	svg.setAttribute("width", 16);
	svg.setAttribute("height", 16);
	const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
	path.setAttribute("d", glyphs[shape].map(([move, x, y]) => `${move}${8 + 5 * x} ${8 + 5 * y}`).join(""));
	path.setAttribute("fill", lineGlyphs.has(shape) ? "none" : color);
	path.setAttribute("stroke", strong ? "#000" : color);
	path.setAttribute("stroke-width", lineGlyphs.has(shape) ? 2 : 1);
	svg.append(path);
	return svg;
};

const circle = Array.from({length: 16}, (_, i) => [i ? "L" : "M", Math.cos(i * Math.PI / 8), Math.sin(i * Math.PI / 8)]);

// glyphs are paths in a square from -1 to 1.
const glyphs = {
	circle: [...circle, ["L", 1, 0]],
	triangle: [["M", 0, -1.1], ["L", 1, 0.8], ["L", -1, 0.8], ["L", 0, -1.1]],
	square: [["M", -0.85, -0.85], ["L", 0.85, -0.85], ["L", 0.85, 0.85], ["L", -0.85, 0.85], ["L", -0.85, -0.85]],
	diamond: [["M", 0, -1.2], ["L", 1.2, 0], ["L", 0, 1.2], ["L", -1.2, 0], ["L", 0, -1.2]],
	cross: [["M", -0.9, -0.9], ["L", 0.9, 0.9], ["M", 0.9, -0.9], ["L", -0.9, 0.9]],
	plus: [["M", -1.1, 0], ["L", 1.1, 0], ["M", 0, -1.1], ["L", 0, 1.1]],
};
const lineGlyphs = new Set(["cross", "plus"]);
