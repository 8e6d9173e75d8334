// The contact sheet: all pictures are there before it is printed.

import { find, findAll } from "./dom.js";

for (const picture of findAll("img")) picture.loading = "eager";
find("#print").addEventListener("click", () => print());
