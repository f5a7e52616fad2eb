// A plot on a canvas, with axes, points that answer to the pointer, and lines.
class Plot {
	// name is what programs find it by; wide and high are in pixels of the page. tipFor(what) tells what is shown at a point; picked(what) is called with a point that is clicked.
	constructor(figure, name, wide, high, tipFor, picked = () => {}) {
		Object.assign(this, {figure, wide, high, tipFor, left: 58, right: 12, top: 10, bottom: 42, hits: []});
		this.canvas = make("canvas", {
			"data-show": name, role: "img", "aria-label": name,
			onmousemove: (event) => this.hover(event), onmouseleave: () => this.untip(),
			onclick: (event) => { const hit = this.hit(event); if (hit) picked(hit.what); },
		});
		this.canvas.style.aspectRatio = `${wide} / ${high}`;
		this.density = Math.max(1, globalThis.devicePixelRatio || 1);
		this.canvas.width = wide * this.density;
		this.canvas.height = high * this.density;
		this.c = this.canvas.getContext("2d");
	}

	// begin clears the plot and draws its axes over the ranges.
	begin(xRange, yRange, xLabel, yLabel) {
		const {c, left, top} = this;
		this.hits = [];
		this.outside = 0;
		Object.assign(this, {xRange, yRange, inner: {w: this.wide - left - this.right, h: this.high - top - this.bottom}});
		c.setTransform(this.density, 0, 0, this.density, 0, 0);
		c.globalAlpha = 1;
		c.fillStyle = "#fff";
		c.fillRect(0, 0, this.wide, this.high);
		c.font = "12px system-ui, sans-serif";
		c.lineWidth = 1;
		c.fillStyle = "#303030";
		c.strokeStyle = "#e6e6e6";
		const bottom = top + this.inner.h, right = left + this.inner.w;
		const xs = niceTicks(xRange), ys = niceTicks(yRange);
		c.textAlign = "center";
		for (const v of xs.ticks) {
			this.segment(this.x(v), top, this.x(v), bottom);
			c.fillText(fixed(v, xs.decimals), this.x(v), bottom + 15);
		}
		c.textAlign = "right";
		for (const v of ys.ticks) {
			this.segment(left, this.y(v), right, this.y(v));
			c.fillText(fixed(v, ys.decimals), left - 5, this.y(v) + 4);
		}
		c.strokeStyle = "#303030";
		c.strokeRect(left, top, this.inner.w, this.inner.h);
		c.textAlign = "center";
		c.fillText(xLabel, left + this.inner.w / 2, this.high - 8);
		c.save();
		c.translate(13, top + this.inner.h / 2);
		c.rotate(-Math.PI / 2);
		c.fillText(yLabel, 0, 0);
		c.restore();
	}

	x(v) { return this.left + (v - this.xRange[0]) / (this.xRange[1] - this.xRange[0]) * this.inner.w; }
	y(v) { return this.top + (this.yRange[1] - v) / (this.yRange[1] - this.yRange[0]) * this.inner.h; }
	within(x, y) { return x >= this.left && x <= this.left + this.inner.w && y >= this.top && y <= this.top + this.inner.h; }

	segment(x0, y0, x1, y1) {
		this.c.beginPath();
		this.c.moveTo(x0, y0);
		this.c.lineTo(x1, y1);
		this.c.stroke();
	}

	// point draws a glyph; one outside the axes is counted instead. Of points in one place the last one answers.
	point(shape, vx, vy, color, {size = 3, opacity = 1, ring = "", what = null} = {}) {
		const x = this.x(vx), y = this.y(vy), {c} = this;
		if (!this.within(x, y)) {
			this.outside++;
			return;
		}
		c.globalAlpha = opacity;
		c.beginPath();
		for (const [move, dx, dy] of glyphs[shape]) c[move === "M" ? "moveTo" : "lineTo"](x + size * dx, y + size * dy);
		if (lineGlyphs.has(shape)) {
			c.strokeStyle = color;
			c.lineWidth = 1.5;
			c.stroke();
		} else {
			if (color) {
				c.fillStyle = color;
				c.fill();
			}
			if (ring) {
				c.strokeStyle = ring;
				c.lineWidth = 1.3;
				c.stroke();
			}
		}
		c.globalAlpha = 1;
		if (what) this.hits.push({x, y, what});
	}

	line(xs, ys, color, {dashes = [], width = 1.8} = {}) {
		const {c} = this;
		c.save();
		c.beginPath();
		c.rect(this.left, this.top, this.inner.w, this.inner.h);
		c.clip();
		c.setLineDash(dashes);
		c.strokeStyle = color;
		c.lineWidth = width;
		c.beginPath();
		xs.forEach((v, i) => c.lineTo(this.x(v), this.y(ys[i])));
		c.stroke();
		c.restore();
	}

	text(text, vx, vy, dx = 0, dy = 0) {
		const {c} = this;
		c.textAlign = dx < 0 ? "right" : "left";
		c.lineWidth = 3;
		c.strokeStyle = "#fff";
		c.strokeText(text, this.x(vx) + dx, this.y(vy) + dy);
		c.fillStyle = "#202020";
		c.fillText(text, this.x(vx) + dx, this.y(vy) + dy);
	}

	// place is where the pointer is, in the plot's own pixels.
	place(event) {
		const box = this.canvas.getBoundingClientRect();
		return [(event.clientX - box.left) * this.wide / box.width, (event.clientY - box.top) * this.high / box.height];
	}

	hit(event) {
		const [x, y] = this.place(event);
		let best = null, least = 9 ** 2;
		for (const hit of this.hits) {
			const distance = (hit.x - x) ** 2 + (hit.y - y) ** 2;
			if (distance <= least) [best, least] = [hit, distance];
		}
		return best;
	}

	hover(event) {
		const hit = this.hit(event);
		const shown = hit ? this.tipFor(hit.what) : this.ground?.(...this.place(event));
		this.untip();
		if (!shown) return;
		const box = this.figure.getBoundingClientRect();
		this.tip = make("div", {class: "tip", "data-show": "tip"}, ...[shown].flat());
		this.tip.style.left = `${event.clientX - box.left + 14}px`;
		this.tip.style.top = `${event.clientY - box.top + 10}px`;
		this.figure.append(this.tip);
	}

	untip() {
		this.tip?.remove();
		this.tip = null;
	}
}
