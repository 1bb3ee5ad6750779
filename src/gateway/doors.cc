// The table of doors. The local ones are listed here, the others are what the dialects declare.
// SPDX-License-Identifier: MIT
#include "gateway/doors.h"

#include <vector>

#include "base/text.h"
#include "dialects/registry.h"
#include "gateway/asset.h"

namespace sluice {
namespace {

struct Row {
  std::string_view method;
  std::string_view before;  // the path up to {model}, or all of it
  std::string_view after;
  bool has_model = false;
  std::string_view pattern;
  Place place = Place::dialect;
  const Dialect* dialect = nullptr;
  Operation operation = Operation::chat;
  bool streams = false;
};

constexpr struct {
  std::string_view path;
  Place place;
} local_doors[] = {
    {"/", Place::home},
    {"/health", Place::health},
    {"/health/live", Place::live},
    {"/health/ready", Place::ready},
    {"/metrics", Place::metrics},
    {"/admin/api/explain", Place::explain},
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> out;
    for (const Dialect* d : dialects()) {
      for (const Door& door : d->doors()) {
        Row row{.method = door.method,
                .before = door.path,
                .pattern = door.path,
                .dialect = d,
                .operation = door.operation,
                .streams = door.streams};
        if (const auto at = door.path.find("{model}"); at != std::string_view::npos) {
          row.has_model = true;
          row.before = door.path.substr(0, at);
          row.after = door.path.substr(at + 7);
        }
        out.push_back(row);
      }
    }
    for (const auto& local : local_doors) {
      out.push_back({.method = "GET", .before = local.path, .pattern = local.path, .place = local.place});
    }
    return out;
  }();
  return all;
}

bool fits(const Row& row, std::string_view path) {
  if (!row.has_model) return path == row.before;
  return path.size() > row.before.size() + row.after.size() && path.starts_with(row.before) &&
         path.ends_with(row.after);
}

Entry entry_of(const Row& row, std::string_view path) {
  Entry out{.place = row.place, .dialect = row.dialect, .operation = row.operation};
  out.path_streams = row.streams;
  out.pattern = row.pattern;
  if (row.has_model)
    out.path_model = path.substr(row.before.size(), path.size() - row.before.size() - row.after.size());
  return out;
}

// Four dialects share /v1/models: what their clients send beside, besides OpenAI's, whose list it is else.
struct Tell {
  DialectId dialect;
  std::string_view field;
  std::string_view begins;  // of its value
};
constexpr Tell tells[] = {
    {DialectId::anthropic, "anthropic-version", ""},
    {DialectId::gemini, "x-goog-api-key", ""},
    {DialectId::gemini, "x-goog-api-client", ""},
    {DialectId::cohere, "x-fern-sdk-name", "cohere"},
};
bool told_by(const http1::Fields& fields, DialectId dialect) {
  for (const Tell& tell : tells) {
    if (tell.dialect == dialect && fields.has(tell.field) && fields.get(tell.field).starts_with(tell.begins))
      return true;
  }
  return false;
}

// Dialects that are not built yet speak in OpenAI's words.
const Dialect* words_of(DialectId id) {
  const Dialect* own = dialect(id);
  return own ? own : dialects().front();
}

// A path that climbs would leave what an operation or a base URL allows.
bool climbs(std::string_view path) {
  if (path.contains('\\')) return true;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(end);
  }
  return false;
}

// The vendor's operation at this path; null when there is none. `allow` learns the methods of those that do not take
// this one.
const VendorOperation* find_vendor_operation(const http1::RequestHead& head, std::string_view method,
                                             std::string_view path, std::string& model, std::string& rest,
                                             std::string& allow) {
  for (const VendorOperation& row : vendor_operations()) {
    if (!fits(row, path, model, rest)) continue;
    if (!list_has(row.methods, method)) {
      allow += (allow.empty() ? "" : ", ") + std::string(row.methods);
      continue;
    }
    const bool shared = row.dialect == DialectId::anthropic && row.pattern == "/v1/files*";
    if (shared && !head.fields.has("anthropic-version")) continue;
    return &row;
  }
  return nullptr;
}

}  // namespace

std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  const auto slash = scheme == std::string_view::npos ? scheme : target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

Result<Entry> find_door(const http1::RequestHead& head) {
  const std::string_view target = origin_form(head.target);
  const auto mark = target.find('?');
  const std::string_view query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  std::string_view path = target.substr(0, mark);
  std::string decoded;
  if (path.find('%') != std::string_view::npos) {
    auto plain = percent_decode(path);
    if (!plain) return fail(Fault::bad_request, "The path holds a broken % escape.");
    decoded = std::move(*plain);
    path = decoded;
  }
  const bool options = head.method == "OPTIONS";
  const std::string_view method = head.method == "HEAD" ? std::string_view("GET") : head.method;
  const Row* found = nullptr;
  std::string allow;
  const auto allows = [&](std::string_view one) {
    if (list_has(allow, one)) return;
    allow += allow.empty() ? "" : ", ";
    allow += one;
    if (one == "GET") allow += ", HEAD";
  };
  for (const Row& row : rows()) {
    if (!fits(row, path)) continue;
    if (row.method != method) {
      allows(row.method);
      continue;
    }
    if (!found) {
      found = &row;
      if (row.operation == Operation::chat) break;
      continue;
    }
    if (row.dialect && told_by(head.fields, row.dialect->id())) found = &row;
  }
  if (!found || (found->operation != Operation::chat && found->has_model)) {
    std::string model, rest, more;
    if (const VendorOperation* row = find_vendor_operation(head, method, path, model, rest, more)) {
      const std::string_view raw = target.substr(0, mark);
      const std::string_view fixed = row->pattern.substr(0, row->pattern.find_first_of("{*"));
      if (climbs(path) || !raw.starts_with(fixed))
        return fail(Fault::bad_request,
                    "The path must stand as it is meant: no dot segments, no escapes before a name.");
      Entry out{.place = Place::vendor, .dialect = words_of(row->dialect), .vendor = row, .pattern = row->pattern};
      out.path = raw;
      out.path_model = std::move(model);
      out.rest = std::move(rest);
      out.query = query;
      return out;
    }
    while (!more.empty()) {
      const auto comma = std::min(more.find(','), more.size());
      allows(trim(std::string_view(more).substr(0, comma)));
      more.erase(0, comma + 1);
    }
  }
  if (found) {
    Entry out = entry_of(*found, path);
    out.query = query;
    return out;
  }
  if (const Asset* page = asset(path); page && (method == "GET" || options)) {
    Entry out{.place = Place::asset,
              .pattern = "/docs",
              .path = std::string(path),
              .query = std::string(query),
              .allow = "GET, HEAD"};
    return out;
  }
  if (constexpr std::string_view api = "/admin/api/"; path.starts_with(api)) {
    constexpr std::string_view takes = "GET, POST, PATCH, DELETE";
    if (list_has(takes, method)) {
      Entry out{.place = Place::admin, .pattern = "/admin/api"};
      out.rest = path.substr(api.size());
      out.query = query;
      return out;
    }
    allow = takes;
  }
  if (options && (target == "*" || !allow.empty())) {
    Entry out{
        .pattern = "OPTIONS", .path = std::string(path), .query = std::string(query), .allow = allow + ", OPTIONS"};
    return out;
  }
  if (!allow.empty()) {
    Error error{.fault = Fault::method_not_allowed, .param = allow + ", OPTIONS"};
    error.message = "This path takes " + allow + ", not " + visible_ascii(head.method, 16) + ".";
    return fail(std::move(error));
  }
  Error error{.fault = Fault::not_found, .code = "unknown_url"};
  error.message = "There is nothing at " + visible_ascii(head.method, 16) + " " + visible_ascii(path, 128) +
                  ". GET /docs lists what there is.";
  return fail(std::move(error));
}

}  // namespace sluice
