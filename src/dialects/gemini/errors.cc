// Errors of this dialect, both ways (protocols: Gemini, section 8). SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "dialects/gemini/codec.h"
#include "dialects/gemini/names.h"

namespace sluice::gemini {
namespace {

struct StatusRow {
  std::string_view word;  // google.rpc.Code
  int status;
  Fault fault;
};
constexpr StatusRow statuses[] = {
    {"INVALID_ARGUMENT", 400, Fault::upstream_rejected},
    {"OUT_OF_RANGE", 400, Fault::upstream_rejected},
    // No free tier in that country, billing switched off: our account's matter, not the request's.
    {"FAILED_PRECONDITION", 400, Fault::upstream_denied},
    {"UNAUTHENTICATED", 401, Fault::upstream_denied},
    {"PERMISSION_DENIED", 403, Fault::upstream_denied},
    {"NOT_FOUND", 404, Fault::upstream_rejected},
    {"ABORTED", 409, Fault::upstream_failed},
    {"RESOURCE_EXHAUSTED", 429, Fault::upstream_limited},
    {"CANCELLED", 499, Fault::upstream_failed},
    {"INTERNAL", 500, Fault::upstream_failed},
    {"UNKNOWN", 500, Fault::upstream_failed},
    {"UNIMPLEMENTED", 501, Fault::upstream_failed},
    {"UNAVAILABLE", 503, Fault::upstream_overloaded},
    {"DEADLINE_EXCEEDED", 504, Fault::upstream_timeout},
};

const StatusRow* row_of(std::string_view word) {
  const auto* row = std::ranges::find(statuses, word, &StatusRow::word);
  return row == std::end(statuses) ? nullptr : row;
}

// By the number alone: for bodies that say nothing.
Fault fault_of(int status) {
  if (status == 401 || status == 402 || status == 403) return Fault::upstream_denied;
  if (status == 429) return Fault::upstream_limited;
  if (status == 503 || status == 529) return Fault::upstream_overloaded;
  if (status == 408 || status == 504) return Fault::upstream_timeout;
  if (status >= 500 || status == 499 || status == 409) return Fault::upstream_failed;
  if (status >= 400) return Fault::upstream_rejected;
  return Fault::upstream_broken;
}

// "34s", "34.074824224s"
std::optional<std::chrono::milliseconds> read_delay(std::string_view text) {
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  std::int64_t ms = 0, scale = 100;
  bool fraction = false, digit = false;
  for (const char c : text) {
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (c < '0' || c > '9' || ms > 1'000'000'000) {
      return std::nullopt;
    } else if (!fraction) {
      ms = ms * 10 + (c - '0') * 1000;
      digit = true;
    } else {
      ms += (c - '0') * scale;
      scale /= 10;
    }
  }
  return digit ? std::optional(std::chrono::milliseconds(ms)) : std::nullopt;
}

void read_details(json::Value details, Error& error) {
  for (const json::Value one : details.elements()) {
    std::string scratch;
    const std::string_view type = one["@type"].view(scratch);
    if (type.ends_with("RetryInfo")) {
      error.retry_after = read_delay(field(one, "retryDelay").text());
    } else if (type.ends_with("ErrorInfo") && one["reason"].equals("API_KEY_INVALID")) {
      error.fault = Fault::upstream_denied;
    } else if (type.ends_with("BadRequest") && error.param.empty()) {
      error.param = field(one, "fieldViolations").at(0)["field"].text();
    }
  }
}

// The word and number for a client.
struct Said {
  std::string_view word;
  int status;
};
Said said(const Error& error) {
  const int status = error.http_status();
  switch (error.fault) {
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::upstream_rejected: return {status == 404 ? "NOT_FOUND" : "INVALID_ARGUMENT", status};
    case Fault::too_large:
    case Fault::method_not_allowed: return {"INVALID_ARGUMENT", status};
    case Fault::unauthorized: return {"UNAUTHENTICATED", status};
    case Fault::forbidden: return {"PERMISSION_DENIED", status};
    case Fault::not_found: return {"NOT_FOUND", status};
    case Fault::request_timeout:
    case Fault::upstream_timeout: return {"DEADLINE_EXCEEDED", status};
    case Fault::rate_limited:
    case Fault::upstream_limited: return {"RESOURCE_EXHAUSTED", status};
    case Fault::overloaded:
    case Fault::upstream_overloaded:
    case Fault::upstream_unreachable: return {"UNAVAILABLE", status};
    case Fault::client_gone: return {"CANCELLED", status};
    case Fault::upstream_denied:
    case Fault::upstream_failed:
    case Fault::upstream_broken:
    case Fault::internal: return {"INTERNAL", status};
  }
  return {"INTERNAL", status};
}

}  // namespace

Error read_error_object(json::Value object, int status) {
  Error error{.message = object["message"].text()};
  const std::string word = object["status"].text();
  const StatusRow* row = row_of(word);
  if (status < 400) {
    const auto code = object["code"].integer();
    status = code && *code >= 400 && *code < 600 ? static_cast<int>(*code) : row != nullptr ? row->status : 500;
  }
  error.fault = row != nullptr && row->status == status ? row->fault : fault_of(status);
  error.detail =
      "HTTP " + std::to_string(status) + (word.empty() ? "" : ' ' + word) + ": " + error.message.substr(0, 500);
  read_details(object["details"], error);
  if (error.message.find("API key not valid") != std::string::npos) error.fault = Fault::upstream_denied;
  if (error.message.find("exceeds the maximum number of tokens") != std::string::npos) {
    error.code = "context_length_exceeded";
  } else if (status == 404) {
    error.code = "model_not_found";
  }
  if (error.fault == Fault::upstream_rejected) error.status = status;
  if (error.message.empty()) error.message = "The upstream refused the request.";
  if (error.fault == Fault::upstream_denied) {
    // The vendor's words are about a key that is not the caller's.
    error.message = "The upstream refused the gateway's own credentials.";
  }
  return error;
}

Error read_error(int status, std::string_view body) {
  json::Document doc;
  if (const auto parsed = doc.parse(body)) {
    const json::Value root = parsed->is_array() ? parsed->at(0) : *parsed;
    if (const json::Value object = root["error"]; object.is_object()) return read_error_object(object, status);
    if (const json::Value text = root["error"]; text.is_string()) {
      Error error{.fault = fault_of(status), .message = text.text(), .detail = "HTTP " + std::to_string(status)};
      if (error.fault == Fault::upstream_rejected) error.status = status;
      return error;
    }
  }
  Error error{.fault = fault_of(status), .message = "The upstream answered with HTTP " + std::to_string(status) + '.'};
  error.detail = "HTTP " + std::to_string(status) + ": " + visible_ascii(body, 200);
  if (error.fault == Fault::upstream_rejected) error.status = status;
  return error;
}

std::string write_error(const Error& error) {
  const Said as = said(error);
  std::string out;
  json::Writer w(out);
  w.begin_object().key("error").begin_object();
  w.member("code", static_cast<std::int64_t>(as.status)).member("message", error.message).member("status", as.word);
  if (error.retry_after || !error.param.empty()) {
    w.key("details").begin_array();
    if (error.retry_after) {
      const auto ms = error.retry_after->count();
      std::string delay = std::to_string(ms / 1000);
      if (ms % 1000 != 0) delay += '.' + std::to_string(1000 + ms % 1000).substr(1);
      w.begin_object().member("@type", "type.googleapis.com/google.rpc.RetryInfo").member("retryDelay", delay + 's');
      w.end_object();
    }
    if (!error.param.empty()) {
      w.begin_object()
          .member("@type", "type.googleapis.com/google.rpc.BadRequest")
          .key("fieldViolations")
          .begin_array();
      w.begin_object().member("field", error.param).member("description", error.message).end_object();
      w.end_array().end_object();
    }
    w.end_array();
  }
  w.end_object().end_object();
  return out;
}

}  // namespace sluice::gemini
