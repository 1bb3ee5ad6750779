// SPDX-License-Identifier: MIT
#include "policy/gate.h"

#include <algorithm>

#include "config/snapshot.h"

namespace sluice {

// ---- Seat and Waiting

void Seat::give_back() {
  std::exchange(gate_, nullptr)->ended(since_ms_);
}

Waiting& Waiting::operator=(Waiting&& other) noexcept {
  if (this == &other) return *this;
  leave();
  inner_ = std::move(other.inner_);
  return *this;
}

Waiting::State Waiting::state() const {
  return inner_->state.load(std::memory_order_acquire);
}

Seat Waiting::take() {
  const auto inner = std::exchange(inner_, nullptr);
  return {&inner->gate, inner->gate.clock_()};
}

void Waiting::leave() {
  if (const auto inner = std::exchange(inner_, nullptr)) inner->gate.leave(*inner);
}

// ---- Gate

void Gate::bound(const QueueSettings& settings) {
  const std::scoped_lock lock(lock_);
  settings_ = settings;
  tell(queue_.next(clock_(), settings_));
}

Seat Gate::take() {
  const std::scoped_lock lock(lock_);
  if (!queue_.take(settings_)) return {};
  return {this, clock_()};
}

bool Gate::crowded() const {
  const std::scoped_lock lock(lock_);
  return queue_.crowded(settings_);
}

Gate::Answer Gate::enter(std::string_view caller, std::shared_ptr<Sleeping> sleeping, std::int64_t deadline_ms) {
  using Verdict = Queue::Answer::Verdict;
  const std::int64_t now_ms = clock_();
  const std::scoped_lock lock(lock_);
  const Queue::Waiter name = ++last_;
  const Queue::Answer told = queue_.enter(caller, name, now_ms, deadline_ms, settings_);
  if (told.pushed_out) tell(*told.pushed_out, Waiting::State::full);
  Answer out{.place = {}, .waiting = {}, .full = told.verdict == Verdict::full, .wait_ms = told.wait_ms};
  if (told.verdict == Verdict::run) out.place = {this, now_ms};
  if (told.verdict == Verdict::wait) {
    // Whoever names it needs the lock first.
    auto inner = std::make_shared<Waiting::Inner>(*this, name, std::move(sleeping));
    line_.emplace(name, inner);
    out.waiting = Waiting(std::move(inner));
  }
  return out;
}

void Gate::ended(std::int64_t since_ms) {
  const std::int64_t now_ms = clock_();
  const std::scoped_lock lock(lock_);
  tell(queue_.ended(now_ms - since_ms, now_ms, settings_));
}

void Gate::tell(const Queue::Next& next) {
  for (const Queue::Waiter one : next.run) tell(one, Waiting::State::turn);
  for (const Queue::Waiter one : next.too_late) tell(one, Waiting::State::late);
}

void Gate::tell(Queue::Waiter name, Waiting::State state) {
  const auto found = line_.extract(name);
  if (!found) return;
  found.mapped()->state.store(state, std::memory_order_release);
  found.mapped()->sleeping->wake();
}

void Gate::leave(Waiting::Inner& one) {
  const std::int64_t now_ms = clock_();
  const std::scoped_lock lock(lock_);
  if (queue_.leave(one.name)) {
    line_.erase(one.name);
  } else if (one.state.load(std::memory_order_relaxed) == Waiting::State::turn) {
    tell(queue_.unused(now_ms, settings_));
  }
}

Gate::Figures Gate::figures() const {
  const std::scoped_lock lock(lock_);
  return {.most = static_cast<std::int64_t>(settings_.most_running),
          .running = static_cast<std::int64_t>(queue_.running()),
          .waiting = static_cast<std::int64_t>(queue_.waiting())};
}

// ---- Gates

void Gates::bound(const Snapshot& snapshot) {
  const ServerSettings& server = snapshot.config().server;
  const auto most_waiting = static_cast<std::size_t>(server.queue.size);
  const auto settings = [most_waiting](std::int64_t most) {
    return QueueSettings{.most_running = static_cast<std::size_t>(most), .most_waiting = most_waiting};
  };
  server_.bound(settings(server.max_concurrent));
  std::map<std::string_view, std::int64_t> caps;
  for (const auto& backend : snapshot.backends()) caps.emplace(backend->name, backend->max_concurrent);
  const std::scoped_lock lock(lock_);
  for (const auto& [name, most] : caps) {
    if (most > 0 && !accounts_.contains(name)) {
      accounts_.emplace(std::string(name), std::make_unique<Gate>(std::string(name), clock_));
    }
  }
  for (const auto& [name, gate] : accounts_) {
    const auto cap = caps.find(name);
    gate->bound(settings(cap == caps.end() ? 0 : cap->second));
  }
}

Gate& Gates::of(std::string_view account) {
  const std::scoped_lock lock(lock_);
  const auto found = accounts_.find(account);
  if (found != accounts_.end()) return *found->second;
  return *accounts_.emplace(std::string(account), std::make_unique<Gate>(std::string(account), clock_)).first->second;
}

Gate* Gates::find(std::string_view account) const {
  const std::scoped_lock lock(lock_);
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? nullptr : found->second.get();
}

std::vector<std::pair<std::string, Gate::Figures>> Gates::figures() const {
  std::vector<std::pair<std::string, Gate::Figures>> out;
  const auto add = [&out](const Gate& gate) {
    if (const Gate::Figures told = gate.figures(); told.most > 0 || told.running > 0)
      out.emplace_back(gate.name(), told);
  };
  add(server_);
  const std::scoped_lock lock(lock_);
  for (const auto& [name, gate] : accounts_) add(*gate);
  return out;
}

}  // namespace sluice
