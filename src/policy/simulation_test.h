// A small world on a virtual clock, for laws about the decisions of this layer: vendors that fail as a script says, and
// callers that ask through the same Health, balance and budgets as the gateway. SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "policy/balance.h"
#include "policy/health_book.h"
#include "policy/retry.h"

namespace sluice::simulation {

class Clock {
 public:
  std::int64_t now = 1'000'000;

  void after(std::int64_t ms, std::function<void()> what) { events_.push({now + ms, ++count_, std::move(what)}); }
  void run() {
    while (!events_.empty()) {
      Event event = events_.top();
      events_.pop();
      now = event.at;
      event.what();
    }
  }

 private:
  struct Event {
    std::int64_t at;
    std::uint64_t number;
    std::function<void()> what;
    bool operator<(const Event& other) const { return std::pair(at, number) > std::pair(other.at, other.number); }
  };
  std::priority_queue<Event> events_;
  std::uint64_t count_ = 0;
};

// What a vendor does with one call.
struct Behaviour {
  Outcome outcome = Outcome::worked;
  std::int64_t first_token_ms = 100;  // or until the fault
  std::int64_t rest_ms = 0;
  std::optional<std::chrono::milliseconds> retry_after;
};

struct Target {
  std::string name;
  std::shared_ptr<Health> health;
  double weight = 1;
  std::function<Behaviour(std::int64_t now, Dice&)> vendor = [](std::int64_t, Dice&) { return Behaviour{}; };
  // What the vendor sees.
  int calls = 0;
  int in_flight = 0;
  int trial_in_flight = 0;      // of those that began while the target was not closed
  std::int64_t not_before = 0;  // it asked to be left alone until then
  int too_early = 0;            // calls that came all the same
  int trials_at_once = 0;       // the most there were
};

// A gateway with all its workers: they share everything that decides, so one of it is as good as many.
struct World {
  explicit World(std::uint64_t seed) : dice(seed) {}

  Clock clock;
  Dice dice;
  HealthSettings settings;
  HealthBook book{1 << 16};
  RetryBudget retries;
  std::deque<Target> targets;
  std::uint64_t turn = 0;
  int attempts = 3;
  std::int64_t deadline_ms = 60'000;
  // What the callers see.
  int requests = 0;
  int calls = 0;
  int good = 0;
  int failed = 0;
  int not_called = 0;  // nobody could be asked

  Target& add(std::string name, std::string_view model = "m") {
    Target& target = targets.emplace_back();
    target.health = book.of(name, model, clock.now);
    target.name = std::move(name);
    return target;
  }

  using Order = std::function<std::vector<std::uint32_t>(const std::vector<Candidate>&)>;
  Order by(Balance kind) {
    return [this, kind](const std::vector<Candidate>& candidates) { return balance(kind, candidates, turn++, dice); };
  }

  // A request to some of the targets, which must stay alive until the clock has run.
  void request(std::vector<Target*> group, const Order& order) {
    ++requests;
    auto asked = std::make_shared<Request>(std::move(group), retries.enter(), clock.now + deadline_ms);
    std::vector<Candidate> candidates;
    for (Target* one : asked->group) {
      candidates.push_back({.name = one->name, .view = one->health->view(clock.now), .weight = one->weight});
    }
    for (const std::uint32_t i : order(candidates)) asked->order.push_back(asked->group[i]);
    call(asked);
  }

  // Poisson arrivals, `per_second` of them, for `ms`.
  void load(double per_second, std::int64_t ms, const std::function<void()>& arrive) {
    double at = 0;
    while (true) {
      at += -std::log(1 - dice.unit()) / per_second * 1000;
      if (at >= static_cast<double>(ms)) return;
      clock.after(static_cast<std::int64_t>(at), arrive);
    }
  }

 private:
  struct Request {
    Request(std::vector<Target*> targets, Counted entered, std::int64_t until)
        : group(std::move(targets)), counted(std::move(entered)), deadline(until) {}
    std::vector<Target*> group;
    std::vector<Target*> order;
    Counted counted;
    std::optional<Counted> retry;
    std::int64_t deadline;
    std::size_t next = 0;
    int made = 0;
  };

  void call(const std::shared_ptr<Request>& request) {
    for (std::size_t tried = 0; tried < request->order.size(); ++tried) {
      Target& target = *request->order[request->next++ % request->order.size()];
      const bool closed = target.health->view(clock.now).state == View::State::closed;
      Permit permit = target.health->begin(clock.now);
      if (!permit) continue;
      begin(request, target, std::make_shared<Permit>(std::move(permit)), closed);
      return;
    }
    ++not_called;
    ++failed;
  }

  void begin(const std::shared_ptr<Request>& request, Target& target, const std::shared_ptr<Permit>& permit,
             bool closed) {
    ++calls;
    ++request->made;
    ++target.calls;
    ++target.in_flight;
    if (clock.now < target.not_before) ++target.too_early;
    if (!closed) target.trials_at_once = std::max(target.trials_at_once, ++target.trial_in_flight);
    const Behaviour does = target.vendor(clock.now, dice);
    clock.after(does.first_token_ms, [=, this, &target] {
      if (!closed) --target.trial_in_flight;
      if (does.outcome == Outcome::worked) {
        permit->first_token(std::chrono::milliseconds(does.first_token_ms), clock.now);
        clock.after(does.rest_ms, [=, this, &target] { end(request, target, *permit, does); });
      } else {
        end(request, target, *permit, does);
      }
    });
  }

  void end(const std::shared_ptr<Request>& request, Target& target, Permit& permit, const Behaviour& does) {
    --target.in_flight;
    permit.end(does.outcome, clock.now, settings, dice, does.retry_after);
    request->retry.reset();
    if (does.outcome == Outcome::worked || does.outcome == Outcome::neutral) {
      ++good;
      return;
    }
    if (does.retry_after) target.not_before = std::max(target.not_before, clock.now + does.retry_after->count());
    if (does.outcome == Outcome::denied) target.not_before = clock.now + settings.denied_first.count();
    if (request->made < attempts) {
      request->retry = retries.retry(clock.now, does.outcome == Outcome::refused);
      // Another target is asked at once; only the same one is given time.
      const bool other = request->order.size() > 1;
      const auto wait = other ? std::optional(std::chrono::milliseconds(0))
                              : retry_wait(request->made - 1, clock.now, request->deadline, does.retry_after, {}, dice);
      if (request->retry && wait) {
        clock.after(wait->count(), [=, this] { call(request); });
        return;
      }
    }
    ++failed;
  }
};

}  // namespace sluice::simulation
