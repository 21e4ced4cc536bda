// A photo before and after, one over the other: what is left of the divide is from before.

import { $, clamp } from "./dom.js";

export class PhotoPair {
  /** `divided(share)` hears where the divide is, 0 to 1 from the left; `lost()` that the photos are not there. */
  constructor({ divided, lost }) {
    this.divided = divided;
    this.figure = $("photo");
    this.images = [$("before-photo"), $("after-photo")];
    const [before, after] = this.images;
    after.addEventListener("load", () => this.fit());
    for (const image of [before, after]) image.addEventListener("error", lost);
    this.figure.addEventListener("pointerdown", (event) => {
      this.figure.setPointerCapture(event.pointerId);
      this.follow(event);
    });
    this.figure.addEventListener("pointermove", (event) => event.buttons && this.follow(event));
    new ResizeObserver(() => this.fit()).observe(this.figure);
  }

  /** Show two pictures of one size. */
  show(pictures) {
    this.images.forEach((image, i) => (image.src = pictures[i]));
    this.divide(0.5);
  }

  fit() {
    const { naturalWidth: width, naturalHeight: height } = this.images[1];
    if (!width) return;
    this.figure.style.setProperty("--ratio", width / height);
    this.figure.classList.toggle("large", this.figure.clientWidth > 2 * width);
  }

  follow(event) {
    const box = this.figure.getBoundingClientRect();
    this.divide(clamp((event.clientX - box.left) / box.width, 0, 1));
  }

  divide(share) {
    this.figure.style.setProperty("--divide", `${(100 * share).toFixed(2)}%`);
    this.figure.querySelector(".divide").hidden = share === 0 || share === 1;
    this.divided(share);
  }
}
