// SPDX-License-Identifier: MIT
#include "gateway/verdict.h"

namespace sluice {

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
  if (head.retry_after) error.retry_after = head.retry_after;
  if (as_it_came && error.fault != Fault::upstream_denied)
    error.verbatim = std::make_shared<VerbatimReply>(head.status, spoken.name(), head.content_type, std::move(body));
  return error;
}

}  // namespace sluice
