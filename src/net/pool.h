// Idle upstream connections of one loop, by origin. The newest is lent first; a connection that the upstream closes or
// speaks on while idle is dropped at once. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
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
  // `idle` counts the idle connections of this pool among others; it must outlive the pool.
  Pool(Loop& loop, Limits limits, std::atomic<std::int64_t>& idle)
      : loop_(loop), limits_(limits), sweep_(*this), idle_(idle) {}
  ~Pool() { clear(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // An idle connection, or null. `key` names everything that makes two connections exchangeable (origin_key).
  [[nodiscard]] std::unique_ptr<ClientConnection> take(const std::string& key);
  // Takes back a reusable connection.
  void give(const std::string& key, std::unique_ptr<ClientConnection> connection);
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
  std::atomic<std::int64_t>& idle_;
  std::unordered_map<std::string, std::unique_ptr<std::vector<std::unique_ptr<Idle>>>> shelves_;
};

[[nodiscard]] std::string origin_key(const Origin& origin);

}  // namespace sluice::net
