// Where answers wait that their clients want to come back to (OpenAI's Responses: `store`, `previous_response_id`).
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice {

// Without owning it.
struct HeldView {
  std::string_view id, tenant, previous, backend, object, input;
  std::int64_t unix_ms = 0;
};

struct HeldResponse {
  std::string id;
  std::string tenant;        // who may see it
  std::string previous;      // the response that it goes on from; empty: it begins a conversation
  std::string backend;       // the vendor behind it holds the response, and nothing below is known; empty: held here
  std::string object;        // the response, JSON
  std::string input;         // its own question as it was said: JSON, a string or a list of items
  std::int64_t unix_ms = 0;  // when it was made

  operator HeldView() const {  // NOLINT(google-explicit-constructor): as a string is a view
    return {.id = id,
            .tenant = tenant,
            .previous = previous,
            .backend = backend,
            .object = object,
            .input = input,
            .unix_ms = unix_ms};
  }
};

[[nodiscard]] inline HeldResponse copy_of(const HeldView& held) {
  return {.id = std::string(held.id),
          .tenant = std::string(held.tenant),
          .previous = std::string(held.previous),
          .backend = std::string(held.backend),
          .object = std::string(held.object),
          .input = std::string(held.input),
          .unix_ms = held.unix_ms};
}

// Bounded: what is too old goes, and when there is too much, whole conversations go, the one that was not used longest
// first. Every member may be called from any thread and never waits; a callback is called exactly once, from any thread
// and perhaps before the call returns.
class ResponseStore {
 public:
  struct Bounds {
    std::int64_t bytes = 0;  // of all together; 0: nothing is kept
    std::int64_t count = 0;  // responses
    std::chrono::milliseconds age{0};
  };
  enum class Reach : std::uint8_t {
    one,
    chain,  // and everything that it goes on from
  };
  enum class Whose : std::uint8_t { nobodys, own, anothers };
  struct Finding {
    Whose whose = Whose::nobodys;
    std::vector<HeldResponse> responses;  // of an own one: the oldest first, the one that was asked for last. A chain
                                          // with a gap is nobody's
  };
  using Done = std::move_only_function<void(Result<bool>)>;  // false: there was nothing to do
  using Found = std::move_only_function<void(Result<Finding>)>;

  ResponseStore() = default;
  ResponseStore(const ResponseStore&) = delete;
  ResponseStore& operator=(const ResponseStore&) = delete;
  virtual ~ResponseStore() = default;

  // When `done` hears true, it is found from then on, also by the next process where the store outlives this one. An id
  // of another tenant is left alone. What is viewed may be gone when the call returns.
  virtual void keep(const HeldView& response, Done done) = 0;
  virtual void find(std::string tenant, std::string id, Reach reach, Found found) = 0;
  virtual void forget(std::string tenant, std::string id, Done done) = 0;
  virtual void bound(const Bounds& bounds) = 0;
  // True when what it holds outlives this process.
  [[nodiscard]] virtual bool lasts() const = 0;
  // Finishes what was asked of it; from then on every callback is called at once, with the fault `internal`.
  virtual void close() = 0;
};

}  // namespace sluice
