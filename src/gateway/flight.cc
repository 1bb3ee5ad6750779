// SPDX-License-Identifier: MIT
#include "gateway/flight.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/text.h"
#include "gateway/answer_fields.h"
#include "gateway/departure.h"
#include "gateway/metering.h"
#include "gateway/passage.h"
#include "gateway/respond.h"
#include "gateway/verdict.h"
#include "gateway/worker.h"
#include "policy/clocks.h"
#include "policy/course.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

std::int64_t by(std::int64_t now, Millis clock) {
  return clock.count() == 0 ? net::never : now + clock.count();
}

// Out of line, as fail() is.
[[gnu::noinline]] std::unexpected<Failure> late(std::string_view message, std::string_view clock) {
  return fail({.fault = Fault::upstream_timeout,
               .message = std::string(message),
               .detail = std::string(clock),
               .code = "upstream_timeout"});
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return out;
}

// retry-after-ms, or retry-after in seconds or as a date (RFC 9110, 10.2.3).
std::optional<milliseconds> retry_after(const http1::Fields& fields, std::int64_t unix_seconds) {
  double number = 0;
  const auto numeric = [&](std::string_view text) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() && number >= 0 && number < 1e9;
  };
  if (const auto text = fields.get("retry-after-ms"); !text.empty() && numeric(text))
    return milliseconds(static_cast<std::int64_t>(number));
  const auto text = fields.get("retry-after");
  if (text.empty()) return std::nullopt;
  if (numeric(text)) return milliseconds(static_cast<std::int64_t>(number * 1000));
  if (const auto date = parse_http_date(text))
    return milliseconds(std::max<std::int64_t>(0, *date - unix_seconds) * 1000);
  return std::nullopt;
}

}  // namespace

Flight::Flight(Exchange& ex, const Target& target, bool stream, Permit permit, std::string_view own_address)
    : Flight(ex, ex.sleeper(), target, stream, std::move(permit), own_address) {}

Flight::Flight(Exchange& ex, net::Sleeper& sleeper, const Target& target, bool stream, Permit permit,
               std::string_view own_address)
    : ex_(ex),
      sleeper_(&sleeper),
      target_(target),
      line_(ex.worker.line(*target.backend)),
      permit_(std::move(permit)),
      attempt_(ex.record.attempts.size()),
      stream_(stream),
      own_address_(own_address) {
  Attempt& attempt = ex.record.attempts.emplace_back();
  attempt.backend = target.backend->name;
  attempt.model = target.model;
  attempt.started_us = ex.elapsed_us();
  if (ex.worker.shared().journal) attempt.price = ex.worker.prices().of(*target.backend, target.model)->text;
  if (ex.asked_timeouts) {
    own_clocks_ =
        std::make_unique<Timeouts>(within(target.clocks(), *ex.asked_timeouts, ex.settings().request_timeouts));
  }
  total_by_ms_ = std::min(by(ex.worker.loop().now_ms(), clocks().total), ex.deadline_ms);
}

Flight::~Flight() {
  Attempt& row = attempt();
  if (row.ended_us >= 0) return;
  row.ended_us = ex_.elapsed_us();
  row.given_up = true;
  if (stream_ && row.sent_us >= 0 && row.first_token_us < 0) {
    permit_.given_up(std::chrono::milliseconds((row.ended_us - row.sent_us) / 1000), ex_.worker.loop().now_ms());
  }
}

std::optional<double> Flight::learnt_p99(std::int64_t now_ms) const {
  return clocks().learn_first_token ? permit_.p99_ms(now_ms) : std::nullopt;
}

Task<Result<bool>> Flight::connect(bool may_be_idle) {
  if (may_be_idle) {
    connection_ = ex_.worker.lines().idle(*line_);
    if (connection_) co_return true;
  }
  attempt().fresh_connection = true;
  const std::int64_t now = ex_.worker.loop().now_ms();
  sleeper_->deadline(std::min(by(now, clocks().connect), total_by_ms_));
  auto made = co_await ex_.worker.lines().connect(*line_, *sleeper_);
  if (!made) co_return std::unexpected(std::move(made).error());
  connection_ = std::move(*made);
  co_return true;
}

Task<Result<Flight::Head>> Flight::begin(std::string_view head, std::string_view body, Company* company) {
  if (ex_.metering) CO_TRY_VOID(ex_.metering->cover(ex_, attempt_, target_));
  CO_TRY_VOID(ex_.bill.begin(ex_, attempt_));
  for (bool may_be_idle = true;; may_be_idle = false) {
    CO_TRY_VOID(co_await connect(may_be_idle));
    const std::array pieces = {net::piece(head), net::piece(body)};
    connection_->begin(pieces);
    const std::int64_t now = ex_.worker.loop().now_ms();
    attempt().sent_us = ex_.elapsed_us();
    if (stream_) first_by_ms_ = by(now, first_token_clock(clocks(), learnt_p99(now)));
    for (;;) {
      http1::ResponseHead& response = ex_.worker.response_head();
      const auto step = connection_->read_head(ex_.worker.scratch(), response);
      if (step == net::ClientConnection::Step::ready) co_return take_head(response);
      if (step == net::ClientConnection::Step::broken || !connection_->push()) {
        // An idle connection that died before a byte came back had been closed under us: nobody saw the request.
        if (!connection_->fresh() && !connection_->answered()) break;
        co_return fail(Fault::upstream_broken, "The upstream closed the connection before it answered.",
                       connection_->why());
      }
      CO_TRY_VOID(co_await wait(company));
    }
    connection_.reset();
  }
}

Task<Result<Flight::Head>> Flight::upload(std::string_view head, std::string_view body, Supply& rest) {
  if (ex_.metering) CO_TRY_VOID(ex_.metering->cover(ex_, attempt_, target_));
  CO_TRY_VOID(ex_.bill.begin(ex_, attempt_));
  net::Sleeper& sleeper = *sleeper_;
  net::Watch& client = ex_.client.socket().watch();
  const bool head_only = ex_.bodyless;
  for (bool may_be_idle = true;; may_be_idle = false) {
    CO_TRY_VOID(co_await connect(may_be_idle));
    const std::array pieces = {net::piece(head), net::piece(body)};
    connection_->begin(pieces, head_only);
    bool sent = false;  // the body is over
    for (;;) {
      http1::ResponseHead& response = ex_.worker.response_head();
      const auto step = connection_->read_head(ex_.worker.scratch(), response);
      if (step == net::ClientConnection::Step::ready) {
        cut_off_ = !sent || connection_->sending();
        co_return take_head(response);
      }
      bool broken = step == net::ClientConnection::Step::broken || !connection_->push();
      bool waits = false;  // for the client
      if (!broken && !sent && !connection_->sending()) {
        std::string_view bytes;
        auto got = rest.next(bytes);
        if (!got) co_return std::unexpected(std::move(got).error());
        waits = *got == Supply::Got::wait;
        sent = *got == Supply::Got::end;
        const iovec more = net::piece(bytes);
        if (*got == Supply::Got::piece) broken = !connection_->send({&more, 1});
        if (!waits && !broken) {
          if (sent) attempt().sent_us = ex_.elapsed_us();
          continue;
        }
      }
      if (broken) {
        // What it said before it went away still counts, though the loop has not told of it yet: a refusal comes before
        // the whole upload has been taken.
        connection_->socket().watch().readable = true;
        if (connection_->read_head(ex_.worker.scratch(), response) == net::ClientConnection::Step::ready) {
          cut_off_ = true;
          co_return take_head(response);
        }
        if (!connection_->fresh() && !connection_->answered() && !rest.begun()) break;
        co_return fail(Fault::upstream_broken, "The upstream closed the connection before it answered.",
                       connection_->why());
      }
      const std::int64_t now = ex_.worker.loop().now_ms();
      const std::int64_t step_by = waits ? now + ex_.settings().body_timeout.count() : by(now, clocks().first_token);
      sleeper.deadline(std::min(step_by, total_by_ms_));
      net::Watch& watch = connection_->socket().watch();
      std::optional<net::Ear> ear;
      if (waits) ear.emplace(sleeper, client);
      auto sleep = connection_->sending() ? sleeper.either(watch) : sleeper.readable(watch);
      const net::Woke woke = co_await sleep;
      ear.reset();
      if (woke == net::Woke::ready) continue;
      if (woke == net::Woke::cancelled && sent && goes_on()) {
        total_by_ms_ = std::min(total_by_ms_, ex_.left_by_ms);
        continue;
      }
      if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
      if (ex_.worker.loop().now_ms() >= total_by_ms_)
        co_return late("The upstream did not finish in time.", "total clock");
      if (waits) co_return fail(Fault::request_timeout, "The request's body took too long to arrive.");
      if (!sent) co_return late("The upstream takes no more of the request.", "first token clock");
      co_return late("The upstream did not begin to answer in time.", "first token clock");
    }
    connection_.reset();
  }
}

Result<Flight::Head> Flight::take_head(const http1::ResponseHead& response) {
  Head out{.status = response.status, .content_type = std::string(response.fields.get("content-type"))};
  attempt().head_us = ex_.elapsed_us();
  attempt().status = response.status;
  for (const std::string_view name : request_id_names()) {
    if (attempt().upstream_request_id.empty())
      attempt().upstream_request_id = visible_ascii(response.fields.get(name), 128);
  }
  const OwnLimits own{.requests = ex_.limits.limit > 0, .tokens = ex_.token_limits.limit > 0};
  const std::int64_t now_unix_ms = ex_.record.unix_ms + ex_.elapsed_us() / 1000;
  LimitsTold quota;
  if (own_address_.empty()) {
    append_answer_fields(out.relayed, response.fields, {.client = *ex_.dialect, .own = own, .now_unix_ms = now_unix_ms},
                         quota);
  } else {
    append_passed_fields(out.relayed, response.fields, own_address_, own, now_unix_ms, quota);
  }
  if (quota.any) permit_.learn_quota(quota, ex_.worker.loop().now_ms());
  out.event_stream = out.content_type.starts_with("text/event-stream") ||
                     out.content_type.starts_with("application/vnd.amazon.eventstream");
  if (out.status >= 400) {
    out.retry_after = retry_after(response.fields, ex_.unix_seconds());
    out.error_kind = visible_ascii(response.fields.get("x-amzn-errortype"), 128);
  }
  if (target_.backend->aws) {
    const auto told = [&](std::string_view name) -> std::optional<std::int64_t> {
      const auto count = number(response.fields.get(name));
      return count ? std::optional(static_cast<std::int64_t>(*count)) : std::nullopt;
    };
    out.input_tokens = told("x-amzn-bedrock-input-token-count");
    out.output_tokens = told("x-amzn-bedrock-output-token-count");
  }
  if (!own_address_.empty()) {
    out.coding = response.fields.get("content-encoding");
    if (response.body.kind == http1::BodyKind::length) out.length = response.body.length;
    if (ex_.bodyless) out.length = number(response.fields.get("content-length"));
  } else if (const auto field = response.fields.get("content-encoding"); !field.empty()) {
    const auto known = coding(field);
    if (!known)
      return fail(Fault::upstream_broken, "The upstream answered in an unknown coding.",
                  "content-encoding " + visible_ascii(field, 64));
    if (*known != Coding::identity) {
      DecoderLimits limits;
      if (stream_) limits.bytes = 0;
      decoder_ = std::make_unique<Decoder>(*known, limits);
    }
  }
  return out;
}

Result<Flight::Got> Flight::take(std::string_view& payload) {
  for (;;) {
    const auto step = connection_->read_body(ex_.worker.scratch(), payload);
    if (step == net::ClientConnection::Step::broken) {
      return fail(Fault::upstream_broken, "The upstream's answer was cut short.", connection_->why());
    }
    if (step == net::ClientConnection::Step::wait) return Got::wait;
    if (step == net::ClientConnection::Step::over) {
      if (decoder_) TRY_VOID(decoder_->finish());
      return Got::end;
    }
    if (silent_since_ms_ != 0) silent_since_ms_ = ex_.worker.loop().now_ms();
    if (!decoder_) return Got::piece;
    decoded_.clear();
    TRY_VOID(decoder_->feed(payload, decoded_));
    if (decoded_.empty()) continue;
    payload = decoded_;
    return Got::piece;
  }
}

Task<Result<Flight::Got>> Flight::next(std::string_view& payload, Company* company) {
  for (;;) {
    auto got = take(payload);
    if (got && *got == Got::wait) {
      auto waited = co_await wait(company);
      if (waited) continue;
      got = std::unexpected(std::move(waited).error());
    }
    if (!got) failed(got.error());
    co_return got;
  }
}

Task<Result<std::string>> Flight::take_all(Company* company, std::size_t most) {
  std::string body;
  for (;;) {
    std::string_view piece;
    CO_TRY(const auto got, take(piece));
    if (got == Got::end) co_return body;
    if (got == Got::wait) {
      CO_TRY_VOID(co_await wait(company));
      continue;
    }
    if (body.size() + piece.size() > most) {
      co_return fail(Fault::upstream_broken, "The upstream's answer is too large.",
                     "over " + std::to_string(most >> 20) + " MiB");
    }
    body += piece;
  }
}

// The client has left. What it is not to be told of is read all the same where that is how it is billed.
bool Flight::goes_on() {
  if (!reads_on(ex_, *target_.backend)) return false;
  sleeper_->clear();
  return true;
}

Task<Result<bool>> Flight::wait(Company* company) {
  net::Sleeper& sleeper = *sleeper_;
  const Timeouts& clocks = this->clocks();
  for (;;) {
    const std::int64_t every = company && !ex_.left() ? ex_.settings().keep_alive.count() : 0;
    const std::int64_t token_by = silent_since_ms_ != 0 ? by(silent_since_ms_, clocks.between_tokens) : first_by_ms_;
    const std::int64_t keep_by = every != 0 ? ex_.last_sent_ms + every : net::never;
    sleeper.deadline(std::min({token_by, total_by_ms_, keep_by, ex_.left_by_ms}));
    net::Watch& watch = connection_->socket().watch();
    auto sleep = connection_->sending() ? sleeper.either(watch) : sleeper.readable(watch);
    const net::Woke woke = co_await sleep;
    if (woke == net::Woke::ready) co_return true;
    if (woke == net::Woke::cancelled && goes_on()) continue;
    const std::int64_t now = ex_.worker.loop().now_ms();
    if (woke == net::Woke::cancelled || now >= ex_.left_by_ms) co_return fail(Fault::client_gone, "The client left.");
    if (now >= total_by_ms_) co_return late("The upstream did not finish in time.", "total clock");
    if (now >= token_by) {
      if (silent_since_ms_ != 0) co_return late("The upstream fell silent.", "clock between tokens");
      co_return late("The upstream did not begin to answer in time.", "first token clock");
    }
    if (now >= keep_by) CO_TRY_VOID(co_await company->keep(ex_));
  }
}

void Flight::end(Outcome outcome, std::optional<std::chrono::milliseconds> retry_after) {
  if (!permit_) return;
  Worker& worker = ex_.worker;
  const BreakerSettings& breaker = ex_.snapshot->config().failover.breaker;
  // Without a breaker nobody rests; what else is known of a target is known all the same.
  if (!breaker.enabled && outcome != Outcome::worked) outcome = Outcome::neutral;
  permit_.end(outcome, worker.loop().now_ms(), health_settings(breaker), worker.dice(), retry_after);
}

void Flight::first_token() {
  Attempt& row = attempt();
  if (row.first_token_us >= 0) return;
  row.first_token_us = ex_.elapsed_us();
  if (permit_ && stream_) {
    const std::int64_t took_us = row.first_token_us - std::max(row.sent_us, row.started_us);
    permit_.first_token(std::chrono::milliseconds(took_us / 1000), ex_.worker.loop().now_ms());
  }
  if (ex_.record.first_token_us < 0) ex_.record.first_token_us = attempt().first_token_us;
  if (stream_) silent_since_ms_ = ex_.worker.loop().now_ms();
}

void Flight::land() {
  attempt().ended_us = ex_.elapsed_us();
  if (!cut_off_) ex_.worker.lines().give(*line_, std::move(connection_));
  ex_.worker.shared().standings.worked(target_.backend->name, ex_.record.unix_ms);
  end(Outcome::worked);
}

void Flight::refused(const Error& error) {
  if (fault_row(error.fault).blame != Blame::client) return failed(error);
  attempt().fault = error.fault;
  if (is_filtered(error)) attempt().detail = error.detail;
  land();
}

void Flight::failed(const Error& error) {
  Attempt& a = attempt();
  a.ended_us = ex_.elapsed_us();
  a.fault = error.fault;
  a.detail = error.detail.empty() ? error.message : error.detail;
  connection_.reset();
  ex_.bill.failed(ex_, attempt_);
  end(outcome_of(error.fault), error.retry_after);
  const FaultRow& row = fault_row(error.fault);
  if (row.blame == Blame::upstream || error.fault == Fault::upstream_denied) {
    ex_.worker.shared().standings.failed(target_.backend->name, error, ex_.record.unix_ms + a.ended_us / 1000);
  }
}

}  // namespace sluice
