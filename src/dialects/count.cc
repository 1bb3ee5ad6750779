// SPDX-License-Identifier: MIT
#include "dialects/count.h"

#include "dialects/dialect.h"

namespace sluice {

void leave_what_counts(ChatRequest& request) {
  request.stream = false;
  request.stream_said.reset();
  request.usage_in_stream.reset();
  request.sampling = {};
  request.stop.clear();
  request.max_output.reset();
  request.cache_key.reset();
  request.metadata.reset();
  request.user.reset();
  request.service_tier.reset();
  request.modalities.reset();
  request.safety.reset();
}

Result<std::int64_t> count_member(std::string_view body, std::string_view key) {
  json::Document doc;
  const auto root = doc.parse(body);
  const auto tokens = root ? (*root)[key].integer() : std::nullopt;
  if (!tokens || *tokens < 0) {
    return fail(Fault::upstream_broken, "The upstream counted no tokens.", "no number in " + std::string(key));
  }
  return *tokens;
}

Result<WireRequest> Dialect::write_count_request(const ChatRequest&, const Destination&, Notes&) const {
  return fail(Fault::unsupported, "The dialect " + std::string(name()) + " has no call that counts tokens.");
}

Result<std::int64_t> Dialect::read_count(std::string_view) const {
  return fail(Fault::internal, "A count was read in a dialect that has none.");
}

std::string Dialect::write_count(std::int64_t) const {
  return "{}";
}

}  // namespace sluice
