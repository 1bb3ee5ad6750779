// relay: what has begun well is brought to its end. SPDX-License-Identifier: MIT
#include "gateway/coalesce.h"
#include "gateway/departure.h"
#include "gateway/metering.h"
#include "gateway/remember.h"
#include "gateway/respond.h"
#include "gateway/resume.h"
#include "gateway/stages.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

class OpenStream {
 public:
  explicit OpenStream(Exchange& ex) : count_(ex.worker.shared().open_streams) {
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  ~OpenStream() { count_.fetch_sub(1, std::memory_order_relaxed); }
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

 private:
  std::atomic<std::int64_t>& count_;
};

class PumpComments final : public Company {
 public:
  explicit PumpComments(Pump& pump) : pump_(pump) {}
  [[nodiscard]] Task<Result<bool>> keep(Exchange& ex) override {
    std::string bytes;
    pump_.comment(bytes);
    co_return co_await send_stream(ex, {}, bytes, false);
  }

 private:
  Pump& pump_;
};

}  // namespace

Task<void> finish_flight(Exchange& ex, Flight& flight) {
  ex.sleeper().deadline(ex.worker.loop().now_ms() + 250);
  for (;;) {
    std::string_view piece;
    const auto got = flight.take(piece);
    if (!got || *got == Flight::Got::end) break;
    if (*got == Flight::Got::piece) continue;
    if (co_await flight.readable() != net::Woke::ready) break;
  }
  flight.land();
}

namespace {

void settle_stream(Exchange& ex, const Pump& pump, const Error* failed, std::size_t unsent) {
  ex.record.estimated_output = pump.heard();
  ex.bill.settle(ex, failed, unsent);
}

Task<Result<bool>> relay_stream(Exchange& ex, Answer& answer) {
  const OpenStream open(ex);
  Pump& pump = *answer.pump;
  std::string& out = answer.held;
  PumpComments comments(pump);
  Company* company = ex.settings().keep_alive.count() > 0 ? &comments : nullptr;
  const std::string_view content_type = pump.content_type();
  Result<void> well;
  for (;;) {
    while (!pump.over()) {
      std::string_view piece;
      auto got = answer.flight->take(piece);
      if (!got) {
        well = std::unexpected(std::move(got).error());
        break;
      }
      if (*got == Flight::Got::piece) {
        pump.feed(piece, out);
        if (ex.metering && !pump.over()) {
          well = ex.metering->heard(ex, answer.flight->place(), pump.heard());
          if (!well) break;
        }
        if (answer.reserve && pump.content()) answer.flight->first_token();  // of one that goes on
        if (out.size() < 32 * 1024) continue;
      } else if (*got == Flight::Got::end) {
        pump.end(out);
        continue;
      }
      if (!out.empty()) {
        if (pump.ended()) {
          settle_stream(ex, pump, nullptr, out.size());
          if (ex.bill.must_wait(ex)) (void)co_await Bill::written(ex);
        }
        const net::Sent put = put_stream(ex, content_type, out, false);
        if (put != net::Sent::all) {
          auto sent = co_await taken(ex, put);
          if (!sent && !reads_on(ex, *answer.flight->target().backend)) {
            answer.flight->failed(sent.error());
            settle_stream(ex, pump, &*sent.error(), 0);
            co_return sent;
          }
        }
        out.clear();
        if (out.capacity() > 16 * 1024) out.shrink_to_fit();
        const std::int64_t now = ex.worker.loop().now_ms();
        if (ex.bill.due(now)) ex.bill.checkpoint(ex, answer.flight->place(), now, pump.heard());
      }
      if (*got == Flight::Got::wait) {
        auto waited = co_await answer.flight->wait(company);
        if (!waited) {
          well = std::unexpected(std::move(waited).error());
          break;
        }
      }
    }
    if (well && pump.failed()) well = fail(*pump.failed());
    const bool ours =
        !well && (well.error()->fault == Fault::client_gone || well.error()->fault == Fault::rate_limited || ex.left());
    if (well || ours || !answer.reserve || !answer.flight) break;
    answer.flight->failed(well.error());
    auto sent = co_await send_stream(ex, content_type, out, false);
    out.clear();
    if (!sent) co_return sent;
    auto goes_on = co_await go_on(ex, answer, well.error(), company);
    if (!goes_on) {
      well = std::unexpected(std::move(goes_on).error());
      break;
    }
    if (!*goes_on) break;
    well = {};
  }
  if (!well) {
    if (answer.flight && answer.flight->attempt().ended_us < 0) answer.flight->failed(well.error());
    if (cut_short(ex, *well.error())) well = fail(leaving());
    settle_stream(ex, pump, &*well.error(), out.size());
    if (well.error()->fault == Fault::client_gone) co_return std::unexpected(std::move(well).error());
    pump.speak(well.error(), out);
    // No end of the body follows: whoever does not read the error must still not take this for a whole answer.
    CO_TRY_VOID(co_await send_stream(ex, content_type, out, false));
    co_return std::unexpected(std::move(well).error());
  }
  if (pump.turns()) remember(ex, *pump.turns());
  if (answer.keeps) co_await hold_end(ex, *answer.keeps, pump.last_event());
  settle_stream(ex, pump, nullptr, out.size());
  if (ex.bill.must_wait(ex)) (void)co_await Bill::written(ex);
  auto sent = co_await send_stream(ex, content_type, out, true);
  if (!sent && answer.flight) answer.flight->failed(sent.error());
  if (sent && answer.flight) co_await finish_flight(ex, *answer.flight);
  co_return sent;
}

Task<Result<bool>> send_written(Exchange& ex, ReplyHead head, const Answer& answer) {
  (void)co_await Bill::written(ex);
  co_return co_await send_whole(ex, head, answer.held);
}

Task<Result<bool>> relay_whole(Exchange& ex, const Answer& answer) {
  ReplyHead head{.fields = answer.fields};
  if (!answer.own_content_type.empty()) head.content_type = answer.own_content_type;
  ex.bill.settle(ex, nullptr, answer.held.size());
  if (ex.bill.must_wait(ex)) return send_written(ex, head, answer);
  return send_whole(ex, head, answer.held);
}

}  // namespace

Task<Result<bool>> relay(Exchange& ex, Answer& answer) {
  if (answer.shared) return follow(ex, *answer.shared);
  return answer.pump ? relay_stream(ex, answer) : relay_whole(ex, answer);
}

}  // namespace sluice
