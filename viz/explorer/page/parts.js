// Pieces of the page. Names are set as text, never as HTML.

const make = (tag, properties = {}, ...children) => {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name === "class") element.className = value;
		else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (value === true) element.setAttribute(name, "");
		else if (value !== false && value !== undefined) element.setAttribute(name, value);
	}
	element.append(...children);
	return element;
};

const button = (text, name, clicked, properties = {}) => make("button", {type: "button", "data-do": name, onclick: clicked, ...properties}, text);

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
			input.setAttribute("aria-valuetext", text);
			output.textContent = text;
		},
	};
};

// number is a labelled field for a number.
const number = (label, name, value, changed, properties) => {
	const input = make("input", {type: "number", "data-set": name, value, ...properties, oninput: () => { if (input.validity.valid && input.value !== "") changed(input.valueAsNumber); }});
	return make("label", {}, label, input);
};

// select is a labelled list; set chooses by place.
const select = (label, name, options, chosen, changed, values = options.map((_, i) => i)) => {
	const list = make("select", {"data-set": name, oninput: () => changed(list.selectedIndex)});
	const element = make("label", {}, label, list);
	const fill = (options, values = options.map((_, i) => i)) => list.replaceChildren(...options.map((text, i) => make("option", {value: values[i]}, text)));
	fill(options, values);
	list.selectedIndex = chosen;
	return {element, list, fill, set: (place) => { list.selectedIndex = place; }};
};

// crop shows an object's picture at a size in pixels.
const crop = (page, object, size) => {
	const {columns, rows, src, side} = page.crops;
	const tile = make("span", {class: "tile", role: "img", "aria-label": nameOf(page, object)});
	Object.assign(tile.style, {
		width: `${size}px`, height: `${size}px`,
		backgroundImage: `url(${src})`, backgroundSize: `${columns * size}px ${rows * size}px`,
		backgroundPosition: `${-(object % columns) * size}px ${-Math.floor(object / columns) * size}px`,
		imageRendering: size > side * 2 ? "pixelated" : "auto",
	});
	return tile;
};

// cropButton is a crop that chooses its object.
const cropButton = (store, object, size = 72) => make("button", {
	type: "button", class: "crop", "data-object": object, title: nameOf(store.page, object), onclick: () => store.change("chosen", {chosen: object}),
}, crop(store.page, object, size), make("span", {}, store.page.about[object].label || store.page.groupOf[object].name, make("br"), `energy ${fixed(store.value(store.energy, object))}`));

const nameOf = (page, object) => {
	const {label} = page.about[object], group = page.groupOf[object].name;
	return label ? `${label} (${group})` : group;
};

const table = (head, rows) => make("div", {class: "scroll"}, make("table", {},
	make("tr", {}, ...head.map((text) => make("th", {scope: "col"}, text))), ...rows));

// outlines of Plotly's symbols, in a square from -1 to 1.
const regular = (n, turn = -90, inner = 0) => range(0, inner ? 2 * n : n).map((i) => {
	const angle = (turn + i * 360 / (inner ? 2 * n : n)) * Math.PI / 180, r = inner && i % 2 ? inner : 1;
	return [r * Math.cos(angle), r * Math.sin(angle)];
});
const plus = [[-0.3, -1], [0.3, -1], [0.3, -0.3], [1, -0.3], [1, 0.3], [0.3, 0.3], [0.3, 1], [-0.3, 1], [-0.3, 0.3], [-1, 0.3], [-1, -0.3], [-0.3, -0.3]];
const outlines = {
	circle: regular(24), "triangle-up": regular(3), "triangle-down": regular(3, 90), "triangle-left": regular(3, 180), square: regular(4, 45), diamond: regular(4),
	pentagon: regular(5), hexagon: regular(6), star: regular(5, -90, 0.45), bowtie: [[-1, -0.8], [-1, 0.8], [1, -0.8], [1, 0.8]],
	"diamond-wide": [[-1.1, 0], [0, -0.6], [1.1, 0], [0, 0.6]], cross: plus, x: plus.map(([x, y]) => [(x - y) * 0.75, (x + y) * 0.75]),
	hourglass: [[-0.8, -1], [0.8, -1], [-0.8, 1], [0.8, 1]],
};

// swatch is a series' mark in the legend.
const swatch = ({shape, color, ring}) => {
	const element = (tag, properties) => {
		const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
		for (const [name, value] of Object.entries(properties)) e.setAttribute(name, value);
		return e;
	};
	const svg = element("svg", {width: 16, height: 16, "aria-hidden": "true"});
	svg.append(element("path", {
		d: `M${outlines[shape].map(([x, y]) => `${(8 + 5.5 * x).toFixed(2)} ${(8 + 5.5 * y).toFixed(2)}`).join("L")}Z`,
		fill: ink(color), stroke: ring ? "currentColor" : ink(color), "stroke-width": 1,
	}));
	return svg;
};
