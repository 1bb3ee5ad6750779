// Where keys and groups that were made at run time are kept, with who may change them and who did.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice {

struct StoredNode {
  enum class Kind : std::uint8_t { key, group };
  Kind kind = Kind::key;
  std::uint64_t id = 0;
  std::string name;
  std::string settings;  // JSON, as the admin API takes it
  bool blocked = false;
  std::int64_t version = 1;  // one more with every change
  std::int64_t made_ms = 0, changed_ms = 0;
  // Of keys: the keyed hash of what opens, of what opened before and still does until then, and how it begins.
  std::string hash, old_hash, shown;
  std::int64_t old_until_ms = 0;
};

// Who may use the admin API.
struct AdminKey {
  std::uint64_t id = 0;
  std::string name;
  std::string scope;  // read, keys, all
  std::string hash, shown;
  std::int64_t made_ms = 0;
};

struct AuditEntry {
  std::int64_t id = 0;  // counts up
  std::int64_t unix_ms = 0;
  std::string who, from;      // an admin key's name; an address
  std::string action;         // "key.create"
  std::string id_text, name;  // of what was changed
  std::string before, after;  // JSON without secrets; empty: was not, is not
};

// An answer that is given again to the same question.
struct GivenAnswer {
  std::string asked;     // hash of who asked, with which key of his own
  std::string question;  // hash of what was asked
  int status = 0;
  std::string body;  // without secrets
  std::string etag;
  std::int64_t unix_ms = 0;
};

// One change, all of it or nothing.
struct KeyChange {
  std::int64_t after = -1;  // how many changes it was judged by; -1: however many there were
  std::optional<StoredNode> put;
  std::optional<std::uint64_t> remove;
  std::optional<AdminKey> put_admin;
  std::optional<std::uint64_t> remove_admin;
  std::optional<AuditEntry> audit;
  std::optional<GivenAnswer> answer;
};

// For one thread at a time. Errors: internal.
class KeyStore {
 public:
  struct Contents {
    std::vector<StoredNode> nodes;
    std::vector<AdminKey> admins;
    bool held_keys = false;    // there was a key once
    std::int64_t changes = 0;  // so far, by whichever process
  };
  KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;
  virtual ~KeyStore() = default;

  // What everything is hashed with; a secret.
  [[nodiscard]] virtual std::string_view pepper() const = 0;
  [[nodiscard]] virtual Result<Contents> read() = 0;
  [[nodiscard]] virtual Result<std::int64_t> changes() = 0;
  // Lasting when it returns. A change is counted when it has an audit entry. Error: overloaded, when there were others
  // than it was judged by.
  [[nodiscard]] virtual Result<void> change(const KeyChange& change) = 0;
  // The newest first, those before `before`; 0: from the newest.
  [[nodiscard]] virtual Result<std::vector<AuditEntry>> audit(std::int64_t before, std::int64_t limit) = 0;
  // What was answered since then.
  [[nodiscard]] virtual Result<std::optional<GivenAnswer>> given(std::string_view asked, std::int64_t since_ms) = 0;
};

}  // namespace sluice
