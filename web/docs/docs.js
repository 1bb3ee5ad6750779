// Starts the reference. Nothing here or in the package reaches beyond this server (the page's policy forbids it as well).
// SPDX-License-Identifier: MIT
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelRendering: "model",
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
