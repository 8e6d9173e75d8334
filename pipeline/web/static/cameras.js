// The list of cameras.

import { remove } from "./api.js";
import { findAll } from "./dom.js";
import { tell } from "./toast.js";

for (const button of findAll("[data-remove]")) {
  button.addEventListener("click", async () => {
    try {
      await remove(`cameras/${button.dataset.remove}`);
      location.reload();
    } catch (error) { tell(error); }
  });
}
