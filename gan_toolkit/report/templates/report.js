"use strict";

// Everything the page can do: hold codes and show the tiles of a sheet, and look back at pictures.
// It writes text, never markup, and asks for nothing.

(() => {
  const LARGEST = 224; // px of a tile on the page
  const GAP = 8;

  const element = (kind, attributes = {}, ...children) => {
    const made = document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) {
      made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // --- codes ---------------------------------------------------------------------------------

  class Player {
    constructor(album) {
      this.album = album;
      this.held = []; // numbers of codes, the one moved last at the end; at most two
      this.values = album.codes.map((code) => startOf(code));
      this.sheets = new Map();
      document.getElementById("player").hidden = false;
      this.controls = album.codes.map((code, number) => this.control(code, number));
      this.canvases = Array.from({ length: album.rows }, (_, row) => this.canvas(row));
    }

    // A tile in whole multiples of its size, as large as there is room for all side by side.
    canvas(row) {
      const { width, height, points, rows } = this.album;
      const stage = document.getElementById("stage");
      const room = Math.min(LARGEST, stage.clientWidth / rows - GAP);
      const factor = points ? 1 : Math.max(1, Math.floor(room / Math.max(width, height)));
      const canvas = element("canvas", {
        width: width * factor,
        height: height * factor,
        role: "img",
        class: points ? "tile smooth" : "tile",
      });
      stage.append(canvas);
      canvas.dataset.row = row;
      return canvas;
    }

    // A row of the panel: the code's name, what holds and frees it, and its slider or picker.
    control(code, number) {
      const id = `code-${number}`;
      const hold = element("input", { type: "checkbox", id: `${id}-hold` });
      const name = element("label", { for: `${id}-hold`, class: "name" }, code.name);
      const shown = element("output", { class: "shown", for: id });
      const moved = code.choice ? this.picker(code, number, id) : this.slider(code, number, id);
      const play = element("button", { type: "button", class: "play" }, "▶");
      play.setAttribute("aria-label", `Play ${code.name}`);
      play.addEventListener("click", () => this.play(number));
      hold.addEventListener("change", () => (hold.checked ? this.hold(number) : this.free(number)));
      const line = element("div", { class: "code" }, hold, name, moved.box, shown, play);
      document.getElementById("controls").append(line);
      return { line, hold, shown, play, set: moved.set };
    }

    slider(code, number, id) {
      const last = code.labels.length - 1;
      const input = element("input", { type: "range", id, min: 0, max: last, step: 1 });
      input.setAttribute("aria-label", code.name);
      input.addEventListener("input", () => this.move(number, Number(input.value)));
      const set = (value) => {
        input.value = value;
        input.setAttribute("aria-valuetext", spoken(code, value));
      };
      set(this.values[number]);
      return { box: element("div", { class: "slider" }, input, trainedBar(code)), set };
    }

    picker(code, number, id) {
      const box = element("div", { class: "picker", role: "radiogroup", id });
      box.setAttribute("aria-label", code.name);
      const inputs = code.labels.map((label, value) => {
        const input = element("input", { type: "radio", name: id, id: `${id}-${value}` });
        input.checked = value === this.values[number];
        input.addEventListener("change", () => this.move(number, value));
        input.addEventListener("click", () => this.move(number, value));
        box.append(input, element("label", { for: `${id}-${value}` }, label));
        return input;
      });
      const set = (value) => {
        inputs[value].checked = true;
      };
      return { box, set };
    }

    move(number, value) {
      this.values[number] = value;
      this.hold(number);
    }

    hold(number) {
      this.held = [...this.held.filter((other) => other !== number), number].slice(-2);
      if (this.held.length === 2 && !this.find()) {
        this.held = [number]; // there is no sheet of this pair
      }
      this.show();
    }

    free(number) {
      this.held = this.held.filter((other) => other !== number);
      this.show();
    }

    // Where the tiles of what is held are: the sheet, the column, and the first row.
    find() {
      const held = [...this.held].sort((one, other) => one - other);
      const sheet = this.sheet(held.join("-"));
      const [across = 0, down = 0] = held.map((number) => this.values[number]);
      return sheet && { sheet, column: across, row: down * this.album.rows };
    }

    sheet(key) {
      if (!this.sheets.has(key)) {
        const source = this.album.pairs[key];
        const image = source
          ? Object.assign(new Image(), { src: source })
          : document.querySelector(`img.strip[data-sheet="${key}"]`);
        image?.addEventListener("load", () => this.paint());
        this.sheets.set(key, image);
      }
      return this.sheets.get(key);
    }

    show() {
      for (const [number, control] of this.controls.entries()) {
        const isHeld = this.held.includes(number);
        control.line.classList.toggle("held", isHeld);
        control.hold.checked = isHeld;
        control.set(this.values[number]);
        control.shown.textContent = isHeld ? this.label(number) : "as drawn";
      }
      const held = this.held.map((number) => `${this.album.codes[number].name} = ${this.label(number)}`);
      document.getElementById("now").textContent = held.join(", ") || "nothing held";
      this.paint();
    }

    label(number) {
      return spoken(this.album.codes[number], this.values[number]);
    }

    paint() {
      const found = this.find();
      if (!found || !found.sheet.complete || !found.sheet.naturalWidth) {
        return; // it will be painted when it is there
      }
      const { width, height } = this.album;
      const text = document.getElementById("now").textContent;
      for (const [row, canvas] of this.canvases.entries()) {
        const context = canvas.getContext("2d");
        context.imageSmoothingEnabled = false;
        const from = [found.column * width, (found.row + row) * height, width, height];
        context.drawImage(found.sheet, ...from, 0, 0, canvas.width, canvas.height);
        canvas.setAttribute("aria-label", `sample ${row + 1}: ${text}`);
      }
    }

    // Walk once through all values of a code: round a circle, or there and back.
    play(number) {
      const code = this.album.codes[number];
      const count = code.labels.length;
      const there = Array.from({ length: count }, (_, i) => (this.values[number] + i + 1) % count);
      const back = [...Array(count).keys()];
      const straight = [...back, ...back.slice(0, -1).reverse(), startOf(code)];
      const walk = code.closed || code.choice ? there : straight;
      clearInterval(this.walking);
      this.walking = setInterval(() => {
        if (walk.length === 0) {
          clearInterval(this.walking);
          return;
        }
        this.move(number, walk.shift());
      }, code.choice ? 450 : 140);
    }
  }

  const startOf = (code) => (code.choice || code.closed ? 0 : Math.floor(code.labels.length / 2));

  const spoken = (code, value) =>
    code.labels[value] + (code.trained[value] ? "" : " (beyond training)");

  // Under a slider: which part of it the generator was trained on.
  const trainedBar = (code) => {
    const bar = element("span", { class: "trained", "aria-hidden": "true" });
    const last = Math.max(1, code.labels.length - 1);
    const first = code.trained.indexOf(true);
    bar.style.setProperty("--from", Math.max(0, first) / last);
    bar.style.setProperty("--to", Math.max(0, code.trained.lastIndexOf(true)) / last);
    return bar;
  };

  const data = document.getElementById("album");
  if (data) {
    const player = new Player(JSON.parse(data.textContent));
    const first = player.album.codes.findIndex((code) => !code.choice);
    player.hold(Math.max(0, first));
  }

  // --- pictures of several steps ---------------------------------------------------------------

  for (const figure of document.querySelectorAll("figure.shots")) {
    const slider = figure.querySelector("input.when");
    const shots = figure.querySelectorAll("img");
    if (slider) {
      slider.hidden = false;
      slider.addEventListener("input", () => {
        const chosen = shots[Number(slider.value)];
        for (const shot of shots) {
          shot.hidden = shot !== chosen;
        }
        figure.querySelector("output").textContent = chosen.dataset.step;
        slider.setAttribute("aria-valuetext", `step ${chosen.dataset.step}`);
      });
    }
  }
})();
