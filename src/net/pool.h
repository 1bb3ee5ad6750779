// Idle upstream connections of one loop, by origin. The newest is lent first; a connection that the upstream closes or
// speaks on while idle is dropped at once. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/client.h"
#include "net/connect.h"

namespace sluice::net {

class Pool {
 public:
  struct Limits {
    std::size_t per_origin = 256;   // idle connections kept
    std::int64_t idle_ms = 60'000;  // then closed
  };
  explicit Pool(Loop& loop, Limits limits) : loop_(loop), limits_(limits), sweep_(*this) {}

  // An idle connection, or null. `key` names everything that makes two connections exchangeable (origin_key).
  [[nodiscard]] std::unique_ptr<ClientConnection> take(const std::string& key);
  // Takes back a reusable connection.
  void give(const std::string& key, std::unique_ptr<ClientConnection> connection);
  [[nodiscard]] std::size_t idle() const { return idle_; }
  void clear();

 private:
  struct Idle {
    Pool* pool;
    std::unique_ptr<ClientConnection> connection;
    std::vector<std::unique_ptr<Idle>>* shelf;
    std::int64_t since_ms;
  };
  class Sweep final : public Alarm {
   public:
    explicit Sweep(Pool& pool) : pool_(pool) {}

   private:
    void ring() override { pool_.sweep(); }
    Pool& pool_;
  };
  static void departed(void* idle);
  void remove(Idle* idle);
  void sweep();
  Loop& loop_;
  Limits limits_;
  Sweep sweep_;
  std::size_t idle_ = 0;
  std::unordered_map<std::string, std::unique_ptr<std::vector<std::unique_ptr<Idle>>>> shelves_;
};

[[nodiscard]] std::string origin_key(const Origin& origin);

}  // namespace sluice::net
