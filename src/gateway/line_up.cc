// SPDX-License-Identifier: MIT
#include "gateway/line_up.h"

#include <algorithm>
#include <memory>

#include "gateway/worker.h"

namespace sluice {
namespace {

// Wakes a sleeper from any thread: on its own loop, as long as it is there.
class Parked final : public Sleeping, public std::enable_shared_from_this<Parked> {
 public:
  explicit Parked(net::Sleeper& sleeper) : loop_(sleeper.loop()), sleeper_(&sleeper) {}
  void wake() override {
    loop_.post([self = shared_from_this()] {
      if (self->sleeper_) self->sleeper_->wake();
    });
  }
  void gone() { sleeper_ = nullptr; }  // on the loop's thread, as what is posted

 private:
  net::Loop& loop_;
  net::Sleeper* sleeper_;
};

// A gate, and until when one may stand in its line.
struct Wanted {
  Gate* gate;
  std::size_t at;  // the target's place in the plan
  std::int64_t deadline_ms;
};

// One exchange in the lines of all these gates.
class Stand {
 public:
  Stand(Exchange& ex, net::Sleeper& sleeper, std::vector<Wanted> wanted)
      : ex_(ex), began_us_(ex.elapsed_us()), parked_(std::make_shared<Parked>(sleeper)), wanted_(std::move(wanted)) {
    lines_.resize(wanted_.size());
  }
  ~Stand() {
    parked_->gone();
    ex_.record.queue_us += ex_.elapsed_us() - began_us_;
  }
  Stand(const Stand&) = delete;
  Stand& operator=(const Stand&) = delete;

  void enter() {
    for (std::size_t i = 0; i < wanted_.size() && !seat_; ++i) {
      Gate::Answer answer = wanted_[i].gate->enter(ex_.tenant, parked_, wanted_[i].deadline_ms);
      if (answer.place) give(i, std::move(answer.place));
      lines_[i] = std::move(answer.waiting);
      full_ = full_ || answer.full;
      shortest_ms_ = std::min(shortest_ms_, answer.wait_ms);
    }
  }

  // What has become of it: true when one gate has let it in, false when it still waits; else why none will.
  Result<bool> look(std::int64_t now_ms) {
    bool waits = false;
    for (std::size_t i = 0; i < lines_.size() && !seat_; ++i) {
      if (!lines_[i]) continue;
      const Waiting::State state = lines_[i].state();
      if (state == Waiting::State::turn) {
        give(i, lines_[i].take());
      } else if (state == Waiting::State::waits && now_ms < wanted_[i].deadline_ms) {
        waits = true;
      } else {
        full_ = full_ || state == Waiting::State::full;
        lines_[i] = {};
      }
    }
    if (seat_) return true;
    if (waits) return false;
    return fail(turned_away());
  }

  // Until when there is something to wait for.
  [[nodiscard]] std::int64_t deadline_ms() const {
    std::int64_t out = 0;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i]) out = std::max(out, wanted_[i].deadline_ms);
    }
    return out;
  }
  [[nodiscard]] Seat take() { return std::move(seat_); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  void give(std::size_t which, Seat place) {
    seat_ = std::move(place);
    at_ = wanted_[which].at;
  }

  [[nodiscard]] Error turned_away() const {
    const std::int64_t wait_ms = std::clamp<std::int64_t>(shortest_ms_, 1'000, 60'000);
    Error error{.fault = Fault::overloaded, .code = "overloaded"};
    error.message = "Too much is under way here; try again in " + std::to_string((wait_ms + 999) / 1000) + " s.";
    error.detail = full_ ? "too many wait for a place already" : "its turn would come too late";
    error.retry_after = std::chrono::milliseconds(wait_ms);
    return error;
  }

  Exchange& ex_;
  std::int64_t began_us_;
  std::shared_ptr<Parked> parked_;
  std::vector<Wanted> wanted_;
  std::vector<Waiting> lines_;  // of each that is wanted; empty once it is no use
  Seat seat_;
  std::size_t at_ = 0;
  bool full_ = false;
  std::int64_t shortest_ms_ = net::never;  // that it would take, as far as is known
};

// Until when this exchange may wait for a target with that clock for the whole call; 0 = none.
std::int64_t deadline(const Exchange& ex, Millis total) {
  const std::int64_t waited_ms = ex.record.queue_us / 1000;
  const std::int64_t patience = ex.worker.loop().now_ms() + ex.settings().queue.longest_wait.count() - waited_ms;
  return std::min({patience, ex.deadline_ms, ex.by(total)});
}

// True with a place, false when `until_ms` has come. Errors: client_gone, overloaded.
Task<Result<bool>> wait(Exchange& ex, net::Sleeper& sleeper, Stand& stand, std::int64_t until_ms, Company* company) {
  net::Loop& loop = ex.worker.loop();
  const std::int64_t every = company ? ex.settings().keep_alive.count() : 0;
  stand.enter();
  for (;;) {
    CO_TRY(const bool in, stand.look(loop.now_ms()));
    if (in) co_return true;
    if (loop.now_ms() >= until_ms) co_return false;
    const std::int64_t keep_by = every != 0 ? ex.last_sent_ms + every : net::never;
    sleeper.deadline(std::min({until_ms, stand.deadline_ms(), keep_by}));
    const net::Woke woke = co_await sleeper.woken();
    if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
    if (loop.now_ms() >= keep_by) CO_TRY_VOID(co_await company->keep(ex));
  }
}

std::vector<Wanted> wanted(const Exchange& ex, const std::vector<Target>& targets, const Course& course) {
  std::vector<Wanted> out;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Gate* gate = course.crowded(i);
    const bool twice = std::ranges::find(out, gate, &Wanted::gate) != out.end();
    if (gate && !twice) out.push_back({.gate = gate, .at = i, .deadline_ms = deadline(ex, targets[i].clocks().total)});
  }
  return out;
}

Task<Result<bool>> line_up(Exchange& ex, net::Sleeper& sleeper, const std::vector<Target>& targets, Course& course,
                           Course::Step& step, Company* company) {
  Stand stand(ex, sleeper, wanted(ex, targets, course));
  auto in = co_await wait(ex, sleeper, stand, step.at_ms, company);
  if (!in && in.error()->fault != Fault::overloaded) co_return in;
  if (!in) {
    course.turned_away(*in.error());
    co_return false;
  }
  if (*in) course.placed(step, stand.at(), stand.take());
  co_return true;
}

}  // namespace

Task<Result<bool>> until_ready(Exchange& ex, net::Sleeper& sleeper, const std::vector<Target>& targets, Course& course,
                               Course::Step& step, Company* company) {
  return step.crowded ? line_up(ex, sleeper, targets, course, step, company)
                      : sleep_until(ex, sleeper, step.at_ms, company);
}

Task<Result<bool>> take_place(Exchange& ex, net::Sleeper& sleeper, const std::vector<Target>& targets,
                              Company* company) {
  Gate& gate = ex.worker.shared().gates.server();
  ex.seat = gate.take();
  if (ex.seat) co_return true;
  // It waits no longer than the most patient target would have it.
  const auto patient = std::ranges::max_element(targets, {}, [](const Target& target) {
    const Millis total = target.clocks().total;
    return total.count() == 0 ? Millis::max() : total;
  });
  const Millis total = patient == targets.end() ? Millis(0) : patient->clocks().total;
  Stand stand(ex, sleeper, {{.gate = &gate, .at = 0, .deadline_ms = deadline(ex, total)}});
  auto in = co_await wait(ex, sleeper, stand, net::never, company);
  if (!in) co_return in;
  ex.seat = stand.take();
  co_return true;
}

}  // namespace sluice
