// Errors of this dialect: an object with a sentence and nothing else, so the status and the words must do.
// SPDX-License-Identifier: MIT
#include <array>
#include <string>

#include "base/text.h"
#include "dialects/cohere/cohere.h"

namespace sluice::cohere {
namespace {

constexpr std::string_view context_code = "context_length_exceeded";

Fault fault_of_status(int status) {
  switch (status) {
    case 401:
    case 402:
    case 403: return Fault::upstream_denied;
    case 408:
    case 504: return Fault::upstream_timeout;
    case 429: return Fault::upstream_limited;
    case 503: return Fault::upstream_overloaded;
    default: return status >= 500 || status < 400 ? Fault::upstream_failed : Fault::upstream_rejected;
  }
}

// The words that every dialect knows for the same thing.
std::string_view code_of(int status, std::string_view message) {
  const std::string small = lower(message);
  if (status == 404 && small.contains("model")) return "model_not_found";
  // "too many tokens: total number of tokens in the prompt cannot exceed 4081"
  for (const std::string_view words : {"too many tokens", "maximum context length", "context length"}) {
    if (small.contains(words)) return context_code;
  }
  return {};
}

}  // namespace

Error failed_answer(std::string_view finish_reason, std::string_view words) {
  const bool late = finish_reason == "TIMEOUT";
  Error error{.fault = late ? Fault::upstream_timeout : Fault::upstream_failed};
  error.message = !words.empty() ? std::string(words)
                  : late         ? "The upstream ran out of time while it answered."
                                 : "The upstream failed while it answered.";
  error.detail = "the answer ended with " + std::string(finish_reason);
  return error;
}

Error read_error(int status, std::string_view body) {
  json::Document doc;
  const auto root = doc.parse(body);
  Error error{.fault = fault_of_status(status), .detail = "the upstream answered " + std::to_string(status)};
  if (root && root->is_object()) {
    const auto [message, inner, id] = root->pick("message", "error", "id");
    error.message = message.is_string() ? message.text() : inner.is_string() ? inner.text() : inner["message"].text();
    if (const std::string said = id.text(); !said.empty()) error.detail += ", request " + visible_ascii(said, 64);
  } else if (const std::string_view text = trim(body); !text.starts_with('<')) {
    error.message = visible_ascii(text, 300);
  }
  if (error.fault == Fault::upstream_denied) {
    // The words may quote a part of our key.
    error.message = "The upstream did not accept this gateway's credentials.";
    return error;
  }
  if (error.message.empty()) error.message = "The upstream answered with status " + std::to_string(status) + ".";
  error.code = code_of(status, error.message);
  if (error.fault == Fault::upstream_rejected) {
    error.status = status;
  } else {
    error.detail += ": " + error.message;
  }
  return error;
}

std::string write_error(const Error& error, std::string_view request_id) {
  std::string body;
  json::Writer out(body);
  out.begin_object();
  if (!request_id.empty()) out.member("id", request_id);
  out.member("message", error.message.empty() ? fault_row(error.fault).name : std::string_view(error.message));
  out.end_object();
  return body;
}

}  // namespace sluice::cohere
