// start fills the page's figures. A notebook may run the script before the figure is part of the document: then it waits.
const start = (id, page, tries = 200) => {
	const figures = document.querySelectorAll(`figure[data-explorer="${id}"]:not([data-ready])`);
	if (!figures.length) {
		if (tries > 0) setTimeout(() => start(id, page, tries - 1), 50);
		return;
	}
	if (!page.groupOf) {
		page.objects = readPoints(page.objects);
		for (const m of page.draws.methods) m.points = readPoints(m.points);
		page.paths.points = readPoints(page.paths.points);
		page.paths.straight = column(page.paths.straight);
		// A short address of the sheet: a long one would be read again for every crop.
		const sheet = Uint8Array.from(atob(page.crops.jpeg), (c) => c.charCodeAt(0));
		page.crops.src = URL.createObjectURL(new Blob([sheet], {type: "image/jpeg"}));
		page.groupOf = [];
		for (const g of page.groups) {
			g.objects = range(page.groupOf.length, g.count);
			page.groupOf.push(...g.objects.map(() => g));
		}
	}
	for (const figure of figures) {
		figure.dataset.ready = "";
		figure.querySelector(".absent")?.remove();
		const caption = figure.querySelector("figcaption");
		const redrawn = (draw) => {
			const begin = performance.now();
			draw();
			figure.dataset.redraw = (performance.now() - begin).toFixed(1);
		};
		for (const view of [drawsView, pathView, surfaceView]) view(page, figure, redrawn);
		figure.append(caption);
	}
};
