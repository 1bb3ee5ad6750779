// Which backend gave out an id (of a file, a batch, an upload), and to whom: what a vendor holds can only be asked for
// where it is, and by whose it is. In memory and bounded, so an id that is too old is unknown again. By the backend's
// name, so that a reload keeps it. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace sluice {

// Safe from any thread.
class Issuers {
 public:
  struct Issue {
    std::string backend;
    std::string tenant;  // whose it is; empty when nobody is known to have made it
  };
  explicit Issuers(std::size_t most = 100'000) : most_(most) {}
  Issuers(const Issuers&) = delete;
  Issuers& operator=(const Issuers&) = delete;

  // Ids that are empty or longer than 256 bytes are not kept. The one not asked for longest makes room. Without a
  // tenant the one known before stays.
  void learn(std::string_view id, std::string_view backend, std::string_view tenant = {});
  // nullopt when the id is unknown.
  [[nodiscard]] std::optional<Issue> find(std::string_view id);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::string id;
    Issue issue;
  };
  mutable std::mutex mutex_;
  std::size_t most_;
  std::list<Entry> entries_;  // asked for last: first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_id_;
};

}  // namespace sluice
