// SPDX-License-Identifier: MIT
#include "policy/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace sluice {
namespace {

constexpr double jitter = 0.2;
constexpr double first_warmth = 0.1;
constexpr std::int64_t forgotten_after_ms = 600'000;
// Until when what is left counts, where the vendor does not say: most limits are of a minute.
constexpr std::int64_t usual_reset_ms = 60'000;
constexpr double unknown_ms = 5'000;  // taken for the time to the first token of a target that has never answered

std::optional<double> left(std::int64_t limit, std::int64_t remaining, std::int64_t resets_at_ms, std::int64_t now_ms) {
  if (limit <= 0) return std::nullopt;
  if (now_ms >= resets_at_ms) return 1;
  return std::clamp(static_cast<double>(remaining) / static_cast<double>(limit), 0.0, 1.0);
}

}  // namespace

std::string explain(const View& view, std::int64_t now_ms) {
  std::string out(view.why);
  if (!view.ready) {
    const double wait = static_cast<double>(std::max<std::int64_t>(view.ready_at_ms - now_ms, 0)) / 1000;
    out += fmt::format("; ready in {:.1f} s", wait);
  } else if (is_spent(view)) {
    const double wait = static_cast<double>(view.spent_until_ms - now_ms) / 1000;
    out += fmt::format("; others first for {:.1f} s, until there is quota again", wait);
  }
  return out;
}

std::string quota_left(const std::optional<double>& headroom) {
  return headroom ? fmt::format("{:.0f} % of its quota left", *headroom * 100) : std::string();
}

// ---- Permit

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  health_ = std::move(other.health_);
  seat_ = std::move(other.seat_);
  ready_at_ms_ = other.ready_at_ms_;
  began_ms_ = other.began_ms_;
  era_ = other.era_;
  probe_ = other.probe_;
  key_probe_ = other.key_probe_;
  well_ = other.well_;
  return *this;
}

void Permit::give_back() {
  if (!health_) return;
  {
    const std::scoped_lock lock(health_->lock_);
    health_->leave(*this);
  }
  forget();
}

void Permit::forget() {
  if (key_probe_) health_->key_->give_back();
  health_.reset();
  seat_ = {};
}

std::optional<double> Permit::p99_ms(std::int64_t now_ms) const {
  return health_ ? health_->view(now_ms).p99_ms : std::nullopt;
}

void Permit::began_well(std::int64_t now_ms) {
  if (!health_) return;
  const std::scoped_lock lock(health_->lock_);
  health_->well(*this, now_ms);
}

void Permit::first_token(std::chrono::milliseconds took, std::int64_t now_ms) {
  if (!health_) return;
  const std::scoped_lock lock(health_->lock_);
  health_->well(*this, now_ms);
  health_->latency_.add(took.count(), now_ms);
}

void Permit::given_up(std::chrono::milliseconds after, std::int64_t now_ms) {
  if (!health_) return;
  const std::scoped_lock lock(health_->lock_);
  health_->latency_.add(after.count(), now_ms);
}

void Permit::learn_quota(const LimitsTold& told, std::int64_t now_ms) {
  if (health_) health_->learn_quota(told, now_ms);
}

void Permit::end(Outcome outcome, std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
                 std::optional<std::chrono::milliseconds> retry_after) {
  if (!health_) return;
  {
    const std::scoped_lock lock(health_->lock_);
    health_->count(*this, outcome, now_ms, settings, dice, retry_after);
    health_->leave(*this);
  }
  forget();
}

// ---- Health

std::shared_ptr<Health> Health::make(std::shared_ptr<AccountKey> key) {
  return std::make_shared<Health>(Private{}, std::move(key));
}

std::int64_t Health::gate_ms() const {
  std::int64_t out = std::max(quota_.until_ms, denied_.step > 0 ? denied_.until_ms : INT64_MIN);
  if (breaker_ == Breaker::open) out = std::max(out, open_.until_ms);
  return out;
}

Permit Health::begin(std::int64_t now_ms, bool anyway) {
  Permit out;
  const std::scoped_lock lock(lock_);
  if (const std::int64_t gate = gate_ms(); now_ms < gate && !anyway) {
    out.ready_at_ms_ = gate;
    return out;
  }
  const bool probe = !anyway && trial();
  if (probe && probing_) {
    out.ready_at_ms_ = now_ms + probe_patience_ms;
    return out;
  }
  if (key_ && !anyway) {
    const AccountKey::Leave leave = key_->ask(now_ms);
    if (!leave.granted) {
      out.ready_at_ms_ = leave.ready_at_ms;
      return out;
    }
    out.key_probe_ = leave.probe;
  }
  if (probe) probing_ = true;
  ++in_flight_;
  ++undecided_;
  used_ms_ = now_ms;
  out.health_ = shared_from_this();
  out.began_ms_ = now_ms;
  out.era_ = era_;
  out.probe_ = probe;
  return out;
}

void Health::leave(const Permit& permit) {
  --in_flight_;
  if (!permit.well_) --undecided_;
  if (permit.probe_) probing_ = false;
}

void Health::advance(std::int64_t now_ms) const {
  const std::int64_t second = now_ms / 1000;
  if (second <= second_) return;
  if (sum_.calls == 0) {
    second_ = second;
    return;
  }
  for (std::int64_t passed = std::min(second - second_, window); passed > 0; --passed) {
    Second& oldest = seconds_[static_cast<std::size_t>((second - passed + 1) % window)];
    sum_.calls -= oldest.calls;
    sum_.faults -= oldest.faults;
    oldest = {};
  }
  second_ = second;
}

void Health::open(std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
                  std::optional<std::chrono::milliseconds> retry_after) {
  breaker_ = Breaker::open;
  ++era_;
  warm_up_ms_ = settings.warm_up.count();
  if (retry_after) asked_until_ms_ = now_ms + retry_after->count();
  open_.grow(now_ms, settings.open_first, settings.open_most, dice.between(1 - jitter, 1 + jitter), retry_after);
}

void Health::close(std::int64_t now_ms) {
  breaker_ = Breaker::closed;
  consecutive_ = cut_ = refused_ = 0;
  probe_failed_ = false;
  seconds_ = {};
  sum_ = {};
  warm_from_ms_ = now_ms;
}

void Health::well(Permit& permit, std::int64_t now_ms) {
  if (permit.well_) return;
  permit.well_ = true;
  --undecided_;
  if (key_) key_->worked(std::exchange(permit.key_probe_, false), permit.began_ms_);
  if (quota_.is_news(permit.began_ms_)) quota_.step = 0;
  if (denied_.is_news(permit.began_ms_)) denied_.step = 0;
  const bool news = permit.era_ == era_;
  if (std::exchange(permit.probe_, false)) {
    probing_ = false;
    if (news && breaker_ == Breaker::open) close(now_ms);
  }
  if (!news || breaker_ == Breaker::open) return;
  // Now and not when the answer ends: long answers tell how things were when they began.
  consecutive_ = refused_ = 0;
  advance(now_ms);
  ++seconds_[static_cast<std::size_t>(second_ % window)].calls;
  ++sum_.calls;
}

void Health::failed(const Permit& permit, Outcome outcome, std::int64_t now_ms, const HealthSettings& settings,
                    Dice& dice, std::optional<std::chrono::milliseconds> retry_after) {
  if (permit.era_ != era_) return;  // began before the breaker opened: already judged
  ++(permit.well_ ? cut_ : consecutive_);
  refused_ = outcome == Outcome::refused ? refused_ + 1 : 0;
  if (breaker_ == Breaker::open) {
    open(now_ms, settings, dice, retry_after);
    return;
  }
  advance(now_ms);
  Second& now = seconds_[static_cast<std::size_t>(second_ % window)];
  if (!permit.well_) ++now.calls, ++sum_.calls;
  ++now.faults, ++sum_.faults;
  // Faults are quicker than answers: of many calls that began together they are the first to be heard of. Until an
  // answer would have been heard of too, those that are still undecided are no faults.
  const bool early =
      now_ms - permit.began_ms_ < static_cast<std::int64_t>(latency_.mean_ms(now_ms).value_or(unknown_ms));
  const auto undecided = static_cast<int>(early ? std::min<std::int64_t>(undecided_ - 1, 1'000'000) : 0);
  const auto reached = [undecided](int most, int count) { return most > 0 && count >= std::max(most, undecided); };
  const int calls = sum_.calls + undecided;
  const bool too_often = sum_.calls >= settings.error_rate_calls && sum_.faults >= settings.error_rate * calls;
  // What is cut ends sooner than what is whole, too: a few of many that run say little.
  const bool cut_down = reached(settings.consecutive_faults, cut_) && cut_ >= in_flight_ - undecided_ - 1;
  if (reached(settings.consecutive_faults, consecutive_) || cut_down ||
      reached(settings.consecutive_refused, refused_) || too_often)
    open(now_ms, settings, dice, retry_after);
}

void Health::count(Permit& permit, Outcome outcome, std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
                   std::optional<std::chrono::milliseconds> retry_after) {
  used_ms_ = std::max(used_ms_, now_ms);
  switch (outcome) {
    case Outcome::worked:
      well(permit, now_ms);
      if (permit.era_ == era_ && breaker_ == Breaker::closed) cut_ = open_.step = 0;
      return;
    case Outcome::fault:
    case Outcome::refused:
    case Outcome::overloaded: failed(permit, outcome, now_ms, settings, dice, retry_after); return;
    case Outcome::quota:
      if (retry_after && retry_after->count() > 0) {
        quota_.since_ms = now_ms;
        quota_.hold(now_ms + retry_after->count());
      } else if (quota_.is_news(permit.began_ms_)) {
        quota_.grow(now_ms, settings.quota_first, settings.quota_most, dice.between(1 - jitter, 1 + jitter));
      }
      return;
    case Outcome::denied:
      if (key_) {
        key_->denied(this, std::exchange(permit.key_probe_, false), permit.began_ms_, now_ms, settings.denied_first,
                     settings.denied_most, dice);
      }
      if (denied_.is_news(permit.began_ms_)) {
        denied_.grow(now_ms, settings.denied_first, settings.denied_most, dice.between(1, 1 + jitter));
      } else {
        denied_.hold(now_ms + settings.denied_first.count());
      }
      return;
    case Outcome::neutral: return;
  }
}

void Health::probed(bool alive, std::int64_t now_ms, std::int64_t hold_ms, const HealthSettings& settings, Dice& dice) {
  const std::scoped_lock lock(lock_);
  if (breaker_ == Breaker::closed) {
    if (alive || settings.consecutive_faults <= 0 || ++consecutive_ < settings.consecutive_faults) return;
    open(now_ms, settings, dice, {});
  }
  probe_failed_ = !alive;
  if (alive) {
    open_.until_ms = std::max(std::min(open_.until_ms, now_ms), asked_until_ms_);
  } else {
    open_.hold(hold_ms);
  }
}

bool Health::rests() const {
  const std::scoped_lock lock(lock_);
  return breaker_ == Breaker::open;
}

void Health::learn_quota(const LimitsTold& told, std::int64_t now_ms) {
  const std::scoped_lock lock(lock_);
  for (std::size_t i = 0; i < told.kinds.size(); ++i) {
    const auto& [limit, remaining, until_reset] = told.kinds[i];
    if (!remaining) continue;
    Quota& quota = quotas_[i];
    // Some tell only what is left (Azure): the most that ever was is as much as is known of the limit.
    quota.limit = limit ? *limit : std::max({quota.limit, *remaining, std::int64_t{1}});
    quota.remaining = *remaining;
    quota.resets_at_ms = now_ms + (until_reset ? until_reset->count() : usual_reset_ms);
  }
}

View Health::view(std::int64_t now_ms) const {
  const AccountKey::Leave key = key_ ? key_->look(now_ms) : AccountKey::Leave{};
  const std::scoped_lock lock(lock_);
  advance(now_ms);
  View out;
  out.in_flight = in_flight_;
  out.consecutive_faults = std::max(consecutive_, cut_);
  out.calls = sum_.calls;
  if (sum_.calls > 0) out.error_rate = std::min(static_cast<double>(sum_.faults) / sum_.calls, 1.0);

  out.mean_ms = latency_.mean_ms(now_ms);
  if (const auto samples = latency_.samples(); samples != percentiles_of_ && now_ms >= percentiles_at_ms_ + 100) {
    percentiles_of_ = samples;
    percentiles_at_ms_ = now_ms;
    p95_ = latency_.percentile_ms(0.95);
    p99_ = latency_.percentile_ms(0.99);
  }
  out.p95_ms = p95_;
  out.p99_ms = p99_;
  for (const Quota& one : quotas_) {
    const auto share = left(one.limit, one.remaining, one.resets_at_ms, now_ms);
    if (!share) continue;
    out.headroom = std::min(out.headroom.value_or(1), *share);
    if (*share <= 0) out.spent_until_ms = std::max(out.spent_until_ms, one.resets_at_ms);
  }
  if (warm_up_ms_ > 0 && now_ms < warm_from_ms_ + warm_up_ms_) {
    const double passed = static_cast<double>(now_ms - warm_from_ms_) / static_cast<double>(warm_up_ms_);
    out.warmth = first_warmth + (1 - first_warmth) * std::max(passed, 0.0);
  }

  const std::int64_t gate = gate_ms();
  const bool shut_key = !key.granted && !key.probing;
  if (now_ms < gate || shut_key) {
    out.state = View::State::open;
    out.ready = false;
    out.ready_at_ms = std::max(gate, shut_key ? key.ready_at_ms : INT64_MIN);
  } else if (trial() || key.probe || key.probing) {
    out.state = View::State::half_open;
    out.ready = !probing_ && !key.probing;
    if (!out.ready) out.ready_at_ms = now_ms + probe_patience_ms;
  }

  if (out.state == View::State::half_open) {
    out.why = out.ready ? "one call may try it again" : "one call tries it again now";
  } else if (out.state == View::State::closed) {
    out.why = out.warmth < 1 ? "healthy again, takes a growing share" : "healthy";
  } else if (shut_key) {
    out.why = "the vendor refused the account's key for several models";
  } else if (denied_.step > 0 && now_ms < denied_.until_ms) {
    out.why = "the vendor refused the account's key for this model";
  } else if (now_ms < quota_.until_ms && (breaker_ == Breaker::closed || open_.until_ms <= quota_.until_ms)) {
    out.out_of_quota = true;
    out.why = "the vendor's quota is used up";
  } else {
    out.why = probe_failed_  ? "too many calls failed, and the last probe"
              : refused_ > 0 ? "nobody listens there"
                             : "too many calls failed";
  }
  return out;
}

bool Health::idle(std::int64_t now_ms) const {
  const std::scoped_lock lock(lock_);
  const bool used_up = std::ranges::any_of(
      quotas_, [now_ms](const Quota& one) { return one.limit > 0 && one.remaining == 0 && now_ms < one.resets_at_ms; });
  return in_flight_ == 0 && !trial() && !used_up && now_ms >= gate_ms() && now_ms >= used_ms_ + forgotten_after_ms;
}

}  // namespace sluice
