// Responses in this process's memory: the default, gone with the process. SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "ports/response_store.h"

namespace sluice {

class MemoryResponses final : public ResponseStore {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds
  explicit MemoryResponses(Clock clock) : clock_(clock) {}

  void keep(const HeldView& response, Done done) override;
  void find(std::string tenant, std::string id, Reach reach, Found found) override;
  void forget(std::string tenant, std::string id, Done done) override;
  void bound(const Bounds& bounds) override;
  [[nodiscard]] bool lasts() const override { return false; }
  void close() override {}

 private:
  struct Conversation;
  using Conversations = std::list<Conversation>;  // used last: first

  // A response in one piece of memory: of a hundred thousand, each piece is one that no cache holds.
  class Held {
   public:
    explicit Held(const HeldView& from);
    [[nodiscard]] std::string_view id() const { return part(0); }
    [[nodiscard]] std::string_view tenant() const { return part(1); }
    [[nodiscard]] std::string_view previous() const { return part(2); }
    [[nodiscard]] HeldView view() const;
    [[nodiscard]] std::int64_t weight() const;

    // Not what it is known by, so that they change inside the set.
    mutable Conversations::iterator conversation;
    mutable const Held* older = nullptr;  // of its conversation

   private:
    [[nodiscard]] std::string_view part(std::size_t number) const;
    std::string text_;                   // id, tenant, previous, backend, object, input
    std::array<std::uint32_t, 6> ends_;  // of each
    std::int64_t unix_ms_;
  };
  struct Conversation {
    const Held* newest = nullptr;
    std::int64_t used_ms = 0;
  };
  struct Known {
    using is_transparent = void;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
    std::size_t operator()(const Held& held) const { return (*this)(held.id()); }
  };
  struct Same {
    using is_transparent = void;
    bool operator()(const Held& a, const Held& b) const { return a.id() == b.id(); }
    bool operator()(std::string_view id, const Held& held) const { return id == held.id(); }
  };
  using Responses = std::unordered_set<Held, Known, Same>;

  bool keep(Held packed, const HeldView& response);
  [[nodiscard]] Finding find(std::string_view tenant, std::string_view id, Reach reach) const;
  bool forget(std::string_view tenant, std::string_view id);
  void erase(const Held& held);
  void drop(Conversations::iterator conversation);
  void fit();
  [[nodiscard]] bool stale(const Conversation& conversation) const;

  Clock clock_;
  std::mutex mutex_;
  Bounds bounds_;
  Conversations conversations_;
  Responses responses_;
  std::int64_t bytes_ = 0;
};

}  // namespace sluice
