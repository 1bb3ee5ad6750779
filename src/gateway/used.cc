// SPDX-License-Identifier: MIT
#include "gateway/used.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace sluice {
namespace {

// `heard`: tokens of output by our own count, -1: none.
Used count(const Usage& told, const Units& units, bool whole, std::int64_t heard, std::optional<std::int64_t> input) {
  Used out;
  Buckets& to = told.estimated ? out.estimated : out.exact;
  to = Buckets(told, units);
  if (units.known()) return out;
  if (to.total_input() == 0) {
    to.set(Bucket::input, std::nullopt);
    out.estimated.set(Bucket::input, input);
  }
  // What a stream that broke off has told of its output was a beginning.
  const bool unknown = !told.output && !told.reasoning && !told.billed_output;
  if (heard >= 0 && (unknown || (!whole && heard > to.total_output()))) {
    to.set(Bucket::output, std::nullopt);
    to.set(Bucket::reasoning, std::nullopt);
    out.estimated.set(Bucket::output, heard);
  }
  return out;
}

Usage without(const Usage& whole, const Usage& part) {
  Buckets left(whole, {});
  const Buckets less(part, {});
  for (std::size_t i = 0; i < bucket_count; ++i) {
    const auto bucket = static_cast<Bucket>(i);
    const auto from = left.get(bucket), taken = less.get(bucket);
    if (from && taken) left.set(bucket, std::max<std::int64_t>(*from - *taken, 0));
  }
  return left.usage();
}

// What the call used whose usage the record has, without those that it went on from. `room` is for what must be made.
const Usage& own_usage(const Record& record, Usage& room) {
  if (std::ranges::none_of(record.spent, &Spent::part)) return record.usage;
  room = record.usage;
  for (const Spent& one : record.spent) {
    if (one.part) room = without(room, one.usage);  // not estimated: those that broke off were
  }
  return room;
}

}  // namespace

bool may_cost(const Heading& heading) {
  constexpr std::array<std::string_view, 7> free = {"count_tokens",  "files",         "uploads",   "skills",
                                                    "conversations", "vector_stores", "containers"};
  return heading.method == "POST" && std::ranges::find(free, heading.operation) == free.end();
}

bool was_sent(const Attempt& attempt) {
  return attempt.sent_us >= 0 || attempt.first_token_us >= 0;
}

bool made_nothing(const Record& record, const Attempt& attempt) {
  if (attempt.status >= 400) return true;
  if (!attempt.fault || attempt.given_up) return false;
  switch (*attempt.fault) {
    case Fault::upstream_rejected:
    case Fault::upstream_denied:
    case Fault::upstream_limited:
    case Fault::upstream_overloaded:
    case Fault::upstream_failed:
    case Fault::upstream_unreachable: return !record.stream || attempt.first_token_us < 0;
    case Fault::upstream_broken: return attempt.head_us < 0;
    case Fault::bad_request:
    case Fault::unsupported:
    case Fault::unauthorized:
    case Fault::forbidden:
    case Fault::not_found:
    case Fault::method_not_allowed:
    case Fault::request_timeout:
    case Fault::too_large:
    case Fault::rate_limited:
    case Fault::overloaded:
    case Fault::client_gone:
    case Fault::upstream_timeout:
    case Fault::internal: return false;
  }
  return false;
}

std::size_t answering(const Record& record) {
  if (record.answered >= 0) return static_cast<std::size_t>(record.answered);
  for (std::size_t i = record.attempts.size(); i-- > 0;) {
    const Attempt& attempt = record.attempts[i];
    if (attempt.first_token_us < 0 || made_nothing(record, attempt)) continue;
    if (std::ranges::find(record.spent, i, &Spent::attempt) == record.spent.end()) return i;
  }
  return record.attempts.size();
}

Used used_by(const Record& record, std::size_t place, bool answers, std::optional<std::int64_t> input) {
  const Attempt& attempt = record.attempts[place];
  const auto apart = std::ranges::find(record.spent, place, &Spent::attempt);
  if (apart != record.spent.end()) return count(apart->usage, {}, true, apart->estimated_output, input);
  if (answers && (record.usage.known() || record.units.known() || !made_nothing(record, attempt))) {
    const bool whole = !attempt.fault && !attempt.given_up;
    Usage room;
    return count(own_usage(record, room), record.units, whole, record.estimated_output, input);
  }
  if (made_nothing(record, attempt) || !was_sent(attempt)) {
    Used nothing;
    nothing.exact.set(Bucket::input, 0);
    nothing.exact.set(Bucket::output, 0);
    return nothing;
  }
  // A stream that was cut before its first word has said nothing; of a whole answer nobody knows how much there was.
  return count({}, {}, false, record.stream ? 0 : -1, input);
}

Used used_so_far(const Record& record, std::int64_t heard, std::optional<std::int64_t> input) {
  Usage room;
  return count(own_usage(record, room), {}, false, heard, input);
}

}  // namespace sluice
