// Keys and groups in an SQLite file. What they are hashed with stands beside it, in FILE.pepper: who has a copy of the
// database alone cannot try keys against it. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "ports/key_store.h"
#include "store/sqlite.h"

namespace sluice {

class SqliteKeys final : public KeyStore {
 public:
  // Makes what is missing. Error: internal, when the file cannot be used, was written by a newer version, or holds keys
  // and its pepper is gone.
  [[nodiscard]] static Result<std::unique_ptr<SqliteKeys>> open(const std::string& path);

  [[nodiscard]] std::string_view pepper() const override { return pepper_; }
  [[nodiscard]] Result<Contents> read() override;
  [[nodiscard]] Result<std::int64_t> changes() override;
  [[nodiscard]] Result<void> change(const KeyChange& change) override;
  [[nodiscard]] Result<std::vector<AuditEntry>> audit(std::int64_t before, std::int64_t limit) override;
  [[nodiscard]] Result<std::optional<GivenAnswer>> given(std::string_view asked, std::int64_t since_ms) override;

 private:
  SqliteKeys(std::unique_ptr<Sqlite> db, std::string pepper) : db_(std::move(db)), pepper_(std::move(pepper)) {}
  [[nodiscard]] Result<void> write(const KeyChange& change);
  std::unique_ptr<Sqlite> db_;
  std::string pepper_;
};

}  // namespace sluice
