// In which order the targets of one request are tried, and why. Pure: what is known about targets, chance and time come
// in. Not here: which targets there are (config), when a call is repeated (retry.h), what is sent (gateway).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/snapshot.h"
#include "policy/dice.h"
#include "policy/gate.h"
#include "policy/health_book.h"

namespace sluice {

// What a request holds, as far as a route may ask for it. What costs is asked for only where a route does.
class Features {
 public:
  virtual ~Features() = default;
  // Its field, by the name in lower case; empty when there is none.
  [[nodiscard]] virtual std::string_view header(std::string_view name) = 0;
  [[nodiscard]] virtual bool tools() = 0;
  [[nodiscard]] virtual bool vision() = 0;
  [[nodiscard]] virtual std::int64_t tokens() = 0;  // of its input, about
  [[nodiscard]] virtual std::int64_t answer() = 0;  // tokens of output to expect, about
  // What all turns of one conversation have in common, as a hash; 0 when it is no conversation.
  [[nodiscard]] virtual std::uint64_t beginning() = 0;
};

// A request, as routes see it. Views must outlive the planning.
struct Sought {
  std::string_view model;
  std::string_view caller;
  std::string_view dialect;
  bool stream = false;
  Features& features;
};

// How often each branch was gone, over all workers and reloads. Safe from any thread.
class Turns {
 public:
  // The number of this turn; `look` leaves it for the next.
  [[nodiscard]] std::uint64_t take(std::string_view branch, bool look);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::mutex mutex_;
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> turns_;
};

// What the order depends on besides the request.
struct Odds {
  HealthBook& health;
  Turns& turns;
  Dice& dice;
  std::int64_t now_ms = 0;
  bool look = false;             // nothing is sent after it: nobody loses a turn
  const Gates* gates = nullptr;  // of accounts with a cap; null: nobody is at one
};

// Why a target stands where it does.
struct Reason {
  bool in = true;                    // it may be called now
  std::string place;                 // "entry 1 of 2, weight 3 of 4"
  std::string state;                 // "open after 5 faults; ready in 1.5 s"; empty when there is nothing to say
  std::optional<double> quota_left;  // 0 to 1; nullopt when its vendor told none
};

// The first that takes the request; null when none does.
[[nodiscard]] const Route* find_route(std::span<const Route> routes, const Sought& sought);

// Every target once, in the order in which they are tried: as the route's tree says, else as Snapshot::targets() says,
// the accounts of a backend by their weight. Those of whose quota nothing is left come after the others, and those that
// may not be called now last. `why` hears of each. Errors: as Snapshot::targets(); not_found when all of a route's are
// off or serve another model.
[[nodiscard]] Result<std::vector<Target>> plan(const Snapshot& snapshot, const Route* route, const Sought& sought,
                                               const Odds& odds, std::vector<Reason>* why = nullptr);
// The target of a branch whose turn it is, for a request that needs nothing else of it; nullopt when none serves the
// model.
[[nodiscard]] std::optional<Target> pick(const Branch& branch, std::string_view model, const Odds& odds);
// The same for targets that were found by another rule, or of which some were left out.
void put_in_order(std::vector<Target>& targets, const Odds& odds, std::vector<Reason>* why = nullptr);

}  // namespace sluice
