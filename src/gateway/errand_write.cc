// SPDX-License-Identifier: MIT
#include "gateway/errand_write.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "gateway/ask.h"
#include "gateway/body_form.h"
#include "gateway/passage.h"
#include "providers/provider.h"
#include "wire/http1.h"

namespace sluice {
namespace {

constexpr std::string_view model_part = "Content-Disposition: form-data; name=\"model\"\r\n\r\n";

bool renamed(const Errand& errand, const Target& target) {
  return !errand.model.empty() && target.model != errand.model;
}

// The client's path with another model in it.
std::string with_model(std::string_view path, std::string_view pattern, std::string_view model) {
  const auto at = pattern.find("{model}");
  std::string_view after = pattern.substr(at + 7);
  if (after.ends_with('*')) {
    after.remove_suffix(1);
    after = path.substr(std::min(path.rfind(after), path.size()));
  }
  const std::string whole = std::string(pattern.substr(0, at)) + "{model}" + std::string(after);
  return call_path({}, Endpoint{.path = whole}, model, false);
}

// Google's bodies repeat the model as "models/NAME", for the whole and for each of several requests.
std::vector<json::Edit> google_edits(std::string_view body, std::string_view model) {
  std::vector<json::Edit> edits;
  json::Document doc;
  const auto root = doc.parse(body);
  if (!root) return edits;
  const std::string name = json::quote("models/" + std::string(model));
  if ((*root)["model"].is_string()) edits.push_back({.pointer = "/model", .value = name});
  std::size_t at = 0;
  for (const json::Value one : (*root)["requests"].elements()) {
    if (one["model"].is_string())
      edits.push_back({.pointer = "/requests/" + std::to_string(at) + "/model", .value = name});
    ++at;
  }
  return edits;
}

Result<void> write_body(const Errand& errand, const Target& target, Written& out, std::int64_t& longer) {
  const VendorOperation& operation = errand.operation();
  const bool in_path = operation.model == ModelPlace::path;
  out.body = errand.held.empty() ? errand.body : errand.held;
  if (errand.form) {
    const bool found = errand.form->found();
    if (in_path && !found) {
      out.own_body = "--" + *errand.boundary + "\r\n" + std::string(model_part) + target.model + "\r\n";
      longer = static_cast<std::int64_t>(out.own_body.size());
      out.own_body += errand.held;
      out.model_added = true;
    } else if (found && errand.form->value() != target.model && !target.model.empty()) {
      out.own_body = errand.held;
      out.own_body.replace(errand.form->value_at(), errand.form->value().size(), target.model);
      longer = static_cast<std::int64_t>(target.model.size()) - static_cast<std::int64_t>(errand.form->value().size());
    } else {
      return {};
    }
    out.body = out.own_body;
    return {};
  }
  std::vector<json::Edit> edits;
  if (operation.dialect == DialectId::gemini) {
    if (renamed(errand, target)) edits = google_edits(errand.body, target.model);
  } else if (!operation.below.empty() || (operation.model == ModelPlace::body && renamed(errand, target))) {
    edits.push_back({.pointer = "/model", .value = json::quote(target.model)});
  }
  if (target.leg && !errand.members.empty()) std::ranges::copy(target.leg->edits, std::back_inserter(edits));
  if (edits.empty()) return {};
  TRY(out.own_body, splice(errand.body, errand.members, edits));
  out.body = out.own_body;
  return {};
}

}  // namespace

bool takes(const Backend& backend, const VendorOperation& operation) {
  if (backend.demo()) return false;
  if (!operation.provider.empty()) return backend.provider->name == operation.provider;
  // A dialect that is spoken for some models only is somebody else's: it brings none of its vendor's other operations.
  const auto speaks = [&](DialectId dialect) { return backend.way(dialect, Operation::chat, {}) != nullptr; };
  return speaks(operation.dialect) ||
         (operation.dialect == DialectId::openai_chat && speaks(DialectId::openai_responses)) ||
         (operation.also && speaks(*operation.also));
}

std::string openai_path(const Provider& provider, std::string_view below) {
  constexpr std::pair<DialectId, std::string_view> chats[] = {{DialectId::openai_chat, "/chat/completions"},
                                                              {DialectId::openai_responses, "/responses"}};
  for (const auto& [dialect, chat] : chats) {
    const Endpoint* at = endpoint(provider, dialect, Operation::chat, {});
    if (at && at->path.ends_with(chat))
      return std::string(at->path.substr(0, at->path.size() - chat.size())) + std::string(below);
  }
  return "/v1" + std::string(below);
}

std::string errand_path(const Errand& errand, const Target& target) {
  const VendorOperation& operation = errand.operation();
  const Backend& backend = *target.backend;
  std::string path = errand.entry.path;
  std::string query = without_key(errand.entry.query);
  std::string_view base = backend.url.path;
  while (base.ends_with('/')) base.remove_suffix(1);
  if (!operation.provider.empty()) {
    path.erase(0, operation.pattern.size() - 1);  // the star
  } else if (!operation.below.empty()) {
    path = openai_path(*backend.provider, operation.below);
    query = {};  // "api-version" is Azure's alone
  } else if (operation.model == ModelPlace::path && renamed(errand, target)) {
    path = with_model(path, operation.pattern, target.model);
  }
  if (operation.dialect == DialectId::gemini && path.starts_with("/upload/") && base.ends_with("/v1beta"))
    base.remove_suffix(7);
  const bool openais = operation.dialect == DialectId::openai_chat || operation.dialect == DialectId::openai_responses;
  const bool as_it_is = operation.also && backend.speaks(*operation.also);
  if (openais && !as_it_is && operation.provider.empty() && operation.below.empty())
    path = openai_path(*backend.provider, std::string_view(path).substr(3));
  std::string out = call_path(base, Endpoint{.path = path}, {}, false);
  if (!query.empty()) out += '?' + query;
  return out;
}

Result<Written> write_errand(const Errand& errand, const Target& target, const Line& line, std::int64_t now) {
  Written out;
  std::int64_t longer = 0;
  TRY_VOID(write_body(errand, target, out, longer));
  const std::string path = errand_path(errand, target);
  out.head = errand.method + ' ' + path + " HTTP/1.1\r\n" + line.fields + errand.fields;
  if (errand.whole) out.head += signing_fields(*target.backend, line, path, out.body, now);
  if (errand.whole) {
    if (!out.body.empty() || errand.length)
      http1::append_field(out.head, "content-length", std::to_string(out.body.size()));
  } else if (errand.length) {
    const auto length = static_cast<std::int64_t>(*errand.length) + longer;
    http1::append_field(out.head, "content-length", std::to_string(length));
  } else {
    out.head += "transfer-encoding: chunked\r\n";
    if (!out.body.empty()) {
      std::string chunk;
      http1::append_chunk_size(chunk, out.body.size());
      chunk += out.body;
      chunk += "\r\n";
      out.own_body = std::move(chunk);
      out.body = out.own_body;
    }
  }
  out.head += "\r\n";
  return out;
}

}  // namespace sluice
