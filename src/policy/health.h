// What is known about one account's way to one upstream model: whether a call may start now, how quick it is, how much
// of its quota is left. Outlives reloads; what it is judged by comes with each call, from the current snapshot. Not
// here: which target is tried first (balance.h), whether a call is repeated (retry.h). SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dialects/limits_told.h"
#include "policy/account_key.h"
#include "policy/dice.h"
#include "policy/gate.h"
#include "policy/latency.h"
#include "policy/lock.h"
#include "policy/pause.h"

namespace sluice {

// How a call ended, as far as it says something about the target.
enum class Outcome : std::uint8_t {
  worked,
  fault,       // broken, failed or too slow
  refused,     // nobody listens: a fault, but fewer of them are enough
  overloaded,  // 503, 529: a fault that is no quota
  quota,       // 429: nobody calls until the vendor's time, or ever longer when it gives none; not an error
  denied,      // 401, 403: the key does not work here; nobody calls for a good while
  neutral,     // says nothing: the caller's own fault, or cancelled
};

struct HealthSettings {
  int consecutive_faults = 5;   // that close a target to calls; 0 = any number is borne
  int consecutive_refused = 3;  // the same, 0 included
  double error_rate = 0.5;      // of the last 10 s, once there were `error_rate_calls`; above 1 = any is borne
  int error_rate_calls = 20;
  std::chrono::milliseconds open_first{1'000};  // each is doubled up to its most, with jitter
  std::chrono::milliseconds open_most{60'000};
  std::chrono::milliseconds quota_first{500};
  std::chrono::milliseconds quota_most{60'000};
  std::chrono::milliseconds denied_first{60'000};
  std::chrono::milliseconds denied_most{600'000};
  std::chrono::milliseconds warm_up{10'000};  // until a target that came back has its whole share
};

// Everything about a target at one moment, to look at.
struct View {
  enum class State : std::uint8_t { closed, half_open, open };
  State state = State::closed;
  bool ready = true;             // a call may start now
  bool out_of_quota = false;     // why none may
  std::int64_t ready_at_ms = 0;  // when not ready: the earliest time at which one may
  std::int64_t in_flight = 0;
  int consecutive_faults = 0;
  double error_rate = 0;          // of the last 10 s
  int calls = 0;                  // that the rate is made from
  std::optional<double> mean_ms;  // to the first token, peak-EWMA
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<double> headroom;   // 0 to 1: what is left of the tighter quota
  std::int64_t spent_until_ms = 0;  // when nothing is left of one: until then, as its vendor says
  double warmth = 1;                // share of its weight that it has after coming back
  std::string_view why;             // static words
};

// "cooling: the vendor's quota is used up; ready in 1.5 s"
[[nodiscard]] std::string explain(const View& view, std::int64_t now_ms);
// Its vendor says that nothing is left: who has something left goes first.
[[nodiscard]] inline bool is_spent(const View& view) {
  return view.headroom.value_or(1) <= 0;
}
// "40 % of its quota left"; empty when nothing is known of it.
[[nodiscard]] std::string quota_left(const std::optional<double>& headroom);

// When the one call that tries a target again is out, whoever is refused may ask again after this.
inline constexpr std::int64_t probe_patience_ms = 1'000;

class Health;

// The right to make one call, or the word when to come back. However it ends, also without an outcome, it gives back
// its place in flight and, if it is the probe of a target that is to be tried again, the probe.
class Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept = default;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { give_back(); }

  explicit operator bool() const { return health_ != nullptr; }
  // Of a refusal: when to ask again.
  [[nodiscard]] std::int64_t ready_at_ms() const { return ready_at_ms_; }
  [[nodiscard]] bool is_probe() const { return probe_ || key_probe_; }
  // What 99 of 100 of the target's streams needed to their first token; nullopt when too few are known.
  [[nodiscard]] std::optional<double> p99_ms(std::int64_t now_ms) const;

  // Its place under a cap is given back with it.
  void hold(Seat seat) { seat_ = std::move(seat); }

  // The answer began well: from here on the call counts as a good one, unless it breaks yet. A probe has done its work
  // then: others may call while its answer runs on.
  void began_well(std::int64_t now_ms);
  // The same, and the time that the first token took.
  void first_token(std::chrono::milliseconds took, std::int64_t now_ms);
  // It was given up after so long: the first token would have taken longer still. Without this, whoever is passed by
  // for being slow would look quicker each time.
  void given_up(std::chrono::milliseconds after, std::int64_t now_ms);
  // What the head of its answer tells of the vendor's limits.
  void learn_quota(const LimitsTold& told, std::int64_t now_ms);
  // The outcome, once. `retry_after` is the vendor's own.
  void end(Outcome outcome, std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
           std::optional<std::chrono::milliseconds> retry_after = {});

 private:
  friend class Health;
  void give_back();
  void forget();  // once it has left

  std::shared_ptr<Health> health_;
  Seat seat_;
  std::int64_t ready_at_ms_ = 0;
  std::int64_t began_ms_ = 0;
  std::uint32_t era_ = 0;
  bool probe_ = false;
  bool key_probe_ = false;
  bool well_ = false;
};

// Safe to call from any thread. Lives in a shared_ptr; a Permit keeps it alive.
class Health : public std::enable_shared_from_this<Health> {
  struct Private {};

 public:
  Health(Private, std::shared_ptr<AccountKey> key) : key_(std::move(key)) {}
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;
  // Without a key it stands alone.
  [[nodiscard]] static std::shared_ptr<Health> make(std::shared_ptr<AccountKey> key = nullptr);

  // May a call start now? Closed: yes. Open: no. Half-open: one at a time. `anyway`: yes, whatever it is.
  [[nodiscard]] Permit begin(std::int64_t now_ms, bool anyway = false);

  // What a probe has found, which is no call. A target that rests after faults may be tried at once, but not before the
  // time its vendor asked for; or it rests on until `hold_ms`. While none rests, what failed counts as a call does.
  void probed(bool alive, std::int64_t now_ms, std::int64_t hold_ms, const HealthSettings& settings, Dice& dice);
  // It rests after faults, or waits for the call that tries it again.
  [[nodiscard]] bool rests() const;

  // As the vendor's fields say: what is left, until all of it is there again.
  void learn_quota(const LimitsTold& told, std::int64_t now_ms);

  [[nodiscard]] View view(std::int64_t now_ms) const;
  // Nothing is known that would be missed if it were forgotten.
  [[nodiscard]] bool idle(std::int64_t now_ms) const;

 private:
  friend class Permit;
  enum class Breaker : std::uint8_t { closed, open };  // half-open is open whose time has come

  struct Second {
    int calls = 0;
    int faults = 0;
  };
  struct Quota {
    std::int64_t limit = 0;  // 0 = unknown
    std::int64_t remaining = 0;
    std::int64_t resets_at_ms = 0;
  };
  static constexpr std::int64_t window = 10;  // seconds

  [[nodiscard]] bool trial() const { return breaker_ == Breaker::open || denied_.step > 0; }
  [[nodiscard]] std::int64_t gate_ms() const;
  void leave(const Permit& permit);
  void advance(std::int64_t now_ms) const;
  void well(Permit& permit, std::int64_t now_ms);
  void failed(const Permit& permit, Outcome outcome, std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
              std::optional<std::chrono::milliseconds> retry_after);
  void count(Permit& permit, Outcome outcome, std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
             std::optional<std::chrono::milliseconds> retry_after);
  void open(std::int64_t now_ms, const HealthSettings& settings, Dice& dice,
            std::optional<std::chrono::milliseconds> retry_after);
  void close(std::int64_t now_ms);

  const std::shared_ptr<AccountKey> key_;
  mutable Lock lock_;
  std::int64_t in_flight_ = 0;
  std::int64_t undecided_ = 0;  // of those, what has not begun to answer
  std::int64_t used_ms_ = 0;
  Breaker breaker_ = Breaker::closed;
  bool probing_ = false;
  std::uint32_t era_ = 0;  // grows when the breaker opens: what began before says nothing about now
  int consecutive_ = 0;    // faults before an answer began well
  int cut_ = 0;            // and after
  int refused_ = 0;
  Pause open_;
  std::int64_t asked_until_ms_ = INT64_MIN;  // the vendor's own time
  bool probe_failed_ = false;                // the last one, since it rests
  Pause quota_;
  Pause denied_;
  std::int64_t warm_from_ms_ = 0;  // with warm_up_ms_: when it came back
  std::int64_t warm_up_ms_ = 0;    // 0 = never was away
  mutable std::array<Second, window> seconds_{};
  mutable std::int64_t second_ = 0;  // the newest of seconds_
  mutable Second sum_;               // of seconds_
  Latency latency_;
  mutable std::int64_t percentiles_at_ms_ = 0;  // percentiles are counted at most ten times a second
  mutable std::uint64_t percentiles_of_ = 0;
  mutable std::optional<double> p95_;
  mutable std::optional<double> p99_;
  std::array<Quota, LimitsTold::kind_count> quotas_;
};

}  // namespace sluice
