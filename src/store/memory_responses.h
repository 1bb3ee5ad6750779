// Responses in this process's memory: the default, gone with the process. SPDX-License-Identifier: MIT
#pragma once

#include <list>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ports/response_store.h"

namespace sluice {

class MemoryResponses final : public ResponseStore {
 public:
  using Clock = std::int64_t (*)();  // Unix milliseconds
  explicit MemoryResponses(Clock clock) : clock_(clock) {}

  void keep(HeldResponse response, Done done) override;
  void find(std::string tenant, std::string id, Reach reach, Found found) override;
  void forget(std::string tenant, std::string id, Done done) override;
  void bound(const Bounds& bounds) override;
  [[nodiscard]] bool lasts() const override { return false; }
  void close() override {}

 private:
  struct Conversation;
  using Conversations = std::list<Conversation>;  // used last: first
  struct Held {
    HeldResponse response;
    Conversations::iterator conversation;
  };
  // Hashed: among a hundred thousand, each step of a search is memory that no cache holds.
  using Responses = std::unordered_map<std::string, Held>;
  struct Conversation {
    std::vector<const std::string*> responses;  // their ids, as they stand in the map
    std::int64_t used_ms = 0;
  };
  bool keep(HeldResponse&& response);
  [[nodiscard]] Finding find(const std::string& tenant, const std::string& id, Reach reach);
  bool forget(const std::string& tenant, const std::string& id);
  void drop(Conversations::iterator conversation);
  void fit();
  [[nodiscard]] bool stale(const Conversation& conversation) const;

  Clock clock_;
  std::mutex mutex_;
  Bounds bounds_;
  Conversations conversations_;
  Responses responses_;  // by id
  std::int64_t bytes_ = 0;
};

}  // namespace sluice
