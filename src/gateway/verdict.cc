// SPDX-License-Identifier: MIT
#include "gateway/verdict.h"

#include <algorithm>
#include <array>

namespace sluice {

namespace {

// The codes with which vendors say that their filter did not like the question (openai-chat.md 7, openai-responses.md
// 6).
constexpr std::array filter_codes = std::to_array<std::string_view>(
    {"content_filter", "content_policy_violation", "invalid_prompt", "bio_policy", "misalignment_policy_violation"});
// … and that they have no such feature, which another target may have.
constexpr std::array lacks_codes = std::to_array<std::string_view>({"unsupported_parameter", "unsupported_value"});

}  // namespace

bool is_filtered(const Error& error) {
  return error.fault == Fault::upstream_rejected && std::ranges::find(filter_codes, error.code) != filter_codes.end();
}

Error filtered(std::string_view word) {
  return {.fault = Fault::upstream_rejected,
          .message = "The upstream's content filter stopped the answer.",
          .detail = "content filter: " + std::string(word),
          .code = "content_filter"};
}

void keep_secret(const Secret& key, Error& error) {
  key.erase_from(error.message);
  key.erase_from(error.detail);
}

Error read_refusal(const Dialect& spoken, const Flight::Head& head, std::string body, const Secret& key,
                   bool as_it_came) {
  if (head.status < 400) {
    return {.fault = Fault::upstream_broken,
            .message = "The upstream answered with a status that is no answer.",
            .detail = "status " + std::to_string(head.status)};
  }
  key.erase_from(body);
  Error error = spoken.read_error(head.status, body, head.error_kind);
  keep_secret(key, error);
  if (error.fault == Fault::upstream_rejected && std::ranges::find(lacks_codes, error.code) != lacks_codes.end())
    error.fault = Fault::unsupported;
  if (is_filtered(error)) error.detail = filtered(error.code).detail;
  if (head.retry_after) error.retry_after = head.retry_after;
  if (as_it_came && error.fault != Fault::upstream_denied)
    error.verbatim = std::make_shared<VerbatimReply>(head.status, spoken.name(), head.content_type, std::move(body));
  return error;
}

}  // namespace sluice
