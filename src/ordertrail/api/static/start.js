"use strict";
// "Authorize" asks for the bare token; the API wants the word "Token" before it.
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  defaultModelsExpandDepth: -1,
  defaultModelRendering: "example",
  requestInterceptor: (request) => {
    const given = request.headers.Authorization;
    if (given && !/^token /i.test(given)) {
      request.headers.Authorization = `Token ${given}`;
    }
    if (/\/api\/(public|ordertrail\/v1)\//.test(request.url)) {
      askForVersion2(request.headers);
    }
    return request;
  },
});

// The page names what it accepts as "accept"; a second header beside it would be sent twice.
function askForVersion2(headers) {
  let accepted = "*/*";
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === "accept") {
      accepted = headers[name];
      delete headers[name];
    }
  }
  headers.Accept = /version/.test(accepted) ? accepted : `${accepted}; version=2`;
}
