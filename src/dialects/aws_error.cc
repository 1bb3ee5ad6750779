// SPDX-License-Identifier: MIT
#include "dialects/aws_error.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/json.h"
#include "base/text.h"

namespace sluice {
namespace {

constexpr std::string_view context_code = "context_length_exceeded";

struct Row {
  std::string_view kind;
  int status;
  Fault fault;
};
constexpr std::array rows = std::to_array<Row>({
    {"ValidationException", 400, Fault::upstream_rejected},
    {"ConflictException", 400, Fault::upstream_rejected},
    {"ResourceNotFoundException", 404, Fault::upstream_rejected},
    {"AccessDeniedException", 403, Fault::upstream_denied},
    {"UnrecognizedClientException", 403, Fault::upstream_denied},
    {"InvalidSignatureException", 403, Fault::upstream_denied},
    {"SignatureDoesNotMatch", 403, Fault::upstream_denied},
    {"IncompleteSignatureException", 403, Fault::upstream_denied},
    {"MissingAuthenticationTokenException", 403, Fault::upstream_denied},
    {"InvalidClientTokenId", 403, Fault::upstream_denied},
    {"ExpiredTokenException", 403, Fault::upstream_denied},
    {"ThrottlingException", 429, Fault::upstream_limited},
    {"TooManyRequestsException", 429, Fault::upstream_limited},
    {"ServiceQuotaExceededException", 400, Fault::upstream_limited},
    {"ModelNotReadyException", 429, Fault::upstream_overloaded},
    {"ServiceUnavailableException", 503, Fault::upstream_overloaded},
    {"ModelTimeoutException", 408, Fault::upstream_timeout},
    {"ModelErrorException", 424, Fault::upstream_failed},
    {"ModelStreamErrorException", 424, Fault::upstream_failed},
    {"InternalServerException", 500, Fault::upstream_failed},
});

Fault fault_of_status(int status) {
  switch (status) {
    case 401:
    case 403: return Fault::upstream_denied;
    case 408:
    case 504: return Fault::upstream_timeout;
    case 424: return Fault::upstream_failed;
    case 429: return Fault::upstream_limited;
    case 503: return Fault::upstream_overloaded;
    default: return status >= 500 || status < 400 ? Fault::upstream_failed : Fault::upstream_rejected;
  }
}

// "ThrottlingException:http://internal…" and "com.amazon.coral.service#ThrottlingException".
std::string_view plain_kind(std::string_view kind) {
  kind = kind.substr(0, kind.find(':'));
  return kind.substr(kind.find('#') + 1);
}

// The words that every dialect knows for the same thing.
std::string_view code_of(std::string_view kind, std::string_view message) {
  if (iequals(kind, "ResourceNotFoundException")) return "model_not_found";
  const std::string small = lower(message);
  for (const std::string_view words :
       {"input is too long", "prompt is too long", "too many input tokens", "maximum context length"}) {
    if (small.contains(words)) return context_code;
  }
  return {};
}

}  // namespace

Error read_aws_error(int status, std::string_view body, std::string_view kind) {
  json::Document doc;
  const auto root = doc.parse(body);
  std::string said, type, own_message;
  if (root && root->is_object()) {
    const auto [message, shouted, typed, original] = root->pick("message", "Message", "__type", "originalMessage");
    said = message.is_string() ? message.text() : shouted.text();
    own_message = original.text();
    type = typed.text();
  } else if (const std::string_view text = trim(body); !text.starts_with('<')) {
    said = visible_ascii(text, 300);
  }
  const std::string name(plain_kind(kind.empty() ? std::string_view(type) : kind));
  const auto row = std::ranges::find_if(rows, [&](const Row& one) { return iequals(one.kind, name); });
  Error error{.fault = row != rows.end() ? row->fault : fault_of_status(status), .message = std::move(said)};
  if (status == 0 && row != rows.end()) status = row->status;
  error.detail = "the upstream answered " + std::to_string(status);
  if (!name.empty()) error.detail += ' ' + visible_ascii(name, 64);
  if (!own_message.empty()) error.detail += ": " + visible_ascii(own_message, 300);
  if (error.fault == Fault::upstream_denied) {
    // The words may quote a part of our key or the whole text that was signed.
    error.message = "The upstream did not accept this gateway's credentials.";
    return error;
  }
  if (error.message.empty()) {
    error.message = "The upstream answered with " + (name.empty() ? "status " + std::to_string(status) : name) + '.';
  }
  error.code = code_of(name, error.message);
  if (error.fault == Fault::upstream_rejected) {
    error.status = status;
  } else {
    error.detail += ": " + error.message;
  }
  return error;
}

}  // namespace sluice
