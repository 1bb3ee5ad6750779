// Errors of this dialect: their table in both directions, and their body. SPDX-License-Identifier: MIT
#include <array>
#include <string>

#include "base/text.h"
#include "dialects/anthropic/anthropic.h"

namespace sluice::anthropic {
namespace {

constexpr std::string_view context_words = "prompt is too long";
constexpr std::string_view context_code = "context_length_exceeded";

struct Row {
  std::string_view type;
  int status;
  Fault fault;
};

// What the vendor says -> what it means. The type decides, the status where there is none.
constexpr std::array read_rows = std::to_array<Row>({
    {"invalid_request_error", 400, Fault::upstream_rejected},
    {"authentication_error", 401, Fault::upstream_denied},
    {"billing_error", 402, Fault::upstream_denied},
    {"permission_error", 403, Fault::upstream_denied},
    {"not_found_error", 404, Fault::upstream_rejected},
    {"conflict_error", 409, Fault::upstream_rejected},
    {"request_too_large", 413, Fault::upstream_rejected},
    {"rate_limit_error", 429, Fault::upstream_limited},
    {"api_error", 500, Fault::upstream_failed},
    {"timeout_error", 504, Fault::upstream_timeout},
    {"overloaded_error", 529, Fault::upstream_overloaded},
});

Fault fault_of_status(int status) {
  switch (status) {
    case 401:
    case 402:
    case 403: return Fault::upstream_denied;
    case 408:
    case 504: return Fault::upstream_timeout;
    case 429: return Fault::upstream_limited;
    case 503:
    case 529: return Fault::upstream_overloaded;
    default: return status >= 500 || status < 400 ? Fault::upstream_failed : Fault::upstream_rejected;
  }
}

std::string_view type_of(const Error& error) {
  switch (error.fault) {
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::method_not_allowed: return "invalid_request_error";
    case Fault::unauthorized: return "authentication_error";
    case Fault::forbidden: return "permission_error";
    case Fault::not_found: return "not_found_error";
    case Fault::request_timeout: return "timeout_error";
    case Fault::too_large: return "request_too_large";
    case Fault::rate_limited: return error.code == "insufficient_quota" ? "billing_error" : "rate_limit_error";
    case Fault::upstream_limited: return "rate_limit_error";
    case Fault::overloaded:
    case Fault::upstream_overloaded: return "overloaded_error";
    case Fault::upstream_timeout: return "timeout_error";
    case Fault::upstream_rejected:
      switch (error.http_status()) {
        case 404: return "not_found_error";
        case 409: return "conflict_error";
        case 413: return "request_too_large";
        default: return "invalid_request_error";
      }
    case Fault::client_gone:
    case Fault::upstream_denied:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable:
    case Fault::upstream_broken:
    case Fault::internal: return "api_error";
  }
  return "api_error";
}

// The finer word that other dialects have and this one says only in prose.
std::string code_of(Fault fault, std::string_view type, std::string_view message) {
  if (fault == Fault::upstream_rejected && message.contains(context_words)) return std::string(context_code);
  if (type == "not_found_error" && message.starts_with("model:")) return "model_not_found";
  return {};
}

Error read_object(json::Value body, int status) {
  // {"type":"error","error":{…}}, and look-alikes that leave the outer half out or put a string there.
  const json::Value error = body["error"] ? body["error"] : body;
  const std::string type = error["type"].text();
  Error out{.fault = fault_of_status(status), .status = status};
  for (const Row& row : read_rows) {
    if (row.type != type) continue;
    // That it failed is the least that can be said: a status like 503 says more.
    if (row.fault != Fault::upstream_failed || status <= 500) out.fault = row.fault;
    if (status == 0) out.status = row.status;
  }
  out.message = error.is_string() ? error.text() : error["message"].text();
  if (out.message.empty()) out.message = body["message"].text();
  out.code = error["details"]["error_code"].text();
  if (out.code.empty()) out.code = code_of(out.fault, type, out.message);
  out.detail = type.empty() ? std::string("no error type") : type;
  if (const std::string id = body["request_id"].text(); !id.empty()) out.detail += ", request " + id;
  return out;
}

}  // namespace

Error read_error_object(json::Value body) {
  Error error = read_object(body, 0);
  if (error.message.empty()) error.message = "The upstream reported an error without words.";
  if (error.fault == Fault::upstream_denied) {
    error.detail += ": " + error.message;
    error.message = "The gateway's own access to the upstream was refused.";
  }
  // A fault of the upstream's key or health is never the client's: the fault's own status speaks.
  if (error.fault != Fault::upstream_rejected) error.status = 0;
  return error;
}

Error read_error(int status, std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  Error error = root && root->is_object() ? read_object(*root, status) : Error{.fault = fault_of_status(status)};
  if (!root || !root->is_object()) error.detail = visible_ascii(body, 200);
  error.detail = "status " + std::to_string(status) + ", " + error.detail;
  if (error.message.empty()) error.message = "The upstream answered with status " + std::to_string(status) + ".";
  if (error.fault == Fault::upstream_denied) {
    error.detail += ": " + error.message;
    error.message = "The gateway's own access to the upstream was refused.";
  }
  error.status = error.fault == Fault::upstream_rejected ? status : 0;
  return error;
}

std::string write_error(const Error& error, std::string_view request_id) {
  std::string message = error.message.empty() ? std::string(fault_row(error.fault).name) : error.message;
  // Agents look for the vendor's own words to know that they must shorten the conversation.
  if (error.code == context_code && !message.contains(context_words)) {
    message.insert(0, std::string(context_words) + ": ");
  }
  std::string body;
  json::Writer out(body);
  out.begin_object().member("type", "error");
  out.key("error").begin_object();
  out.member("type", type_of(error));
  out.member("message", message);
  if (!error.code.empty()) out.key("details").begin_object().member("error_code", error.code).end_object();
  out.end_object();
  if (request_id.empty()) {
    out.key("request_id").null();
  } else {
    out.member("request_id", request_id);
  }
  out.end_object();
  return body;
}

}  // namespace sluice::anthropic
