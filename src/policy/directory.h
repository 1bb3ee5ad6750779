// Who may call, by the keys that callers show, and what is allowed to them: keys and the tree of groups above them.
// Immutable: a change makes a new one, and an exchange keeps the one that it began with. Not here: in which field a key
// is shown (credential.h), how much was used (meters), where keys are kept (store). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/config.h"
#include "policy/metered_node.h"
#include "wire/keyed_hash.h"

namespace sluice {

// A key or a group, as something that allows.
struct Node {
  NodeId id = 0;
  std::string name;
  Allowance allowance;
  std::vector<Network> from;  // Allowance::from, parsed
  bool blocked = false;
};

struct Group : Node {
  GroupSettings::Kind kind = GroupSettings::Kind::team;
  const Group* parent = nullptr;
};

struct Key : Node {
  std::string tenant;  // whose limits and stored objects: of this key and of none after it that is called the same
  Secret secret;       // of one that signs (AWS); empty for all others
  const Group* group = nullptr;
  std::vector<const Node*> path;  // itself, its group, that one's parent, up to the root
  std::string groups;             // names from the root down: "company/research"; empty without
  std::string tags;               // of all on the path, each once, "a,b"
  // Whether anything on the path says it, so that most calls ask no further.
  bool limits_models = false, limits_backends = false, limits_dialects = false, limits_places = false;
  std::vector<MeteredNode> meters;  // those on the path of which something is counted
  bool blocked_on_path = false;
  bool has_budget = false;             // anything on the path
  std::int64_t expires_ms = 0;         // the earliest on the path; 0: never
  std::int64_t max_output_tokens = 0;  // the least on the path; 0: no cap

  [[nodiscard]] bool allows_model(std::string_view model) const;
  // `group`: the backend of which `name` is an account, or the same.
  [[nodiscard]] bool allows_backend(std::string_view name, std::string_view group) const;
};

// What a directory is made of.
struct GroupEntry {
  NodeId id = 0;
  GroupSettings settings;
  bool blocked = false;
};
struct KeyEntry {
  struct Hash {
    Sha256 digest{};
    std::int64_t until_ms = 0;  // of one that was replaced: how long it still opens; 0: for ever
  };
  NodeId id = 0;
  std::string tenant;
  KeySettings settings;  // its `key` only where requests are signed with it
  std::vector<Hash> hashes;
  bool blocked = false;
};

class Directory {
 public:
  struct Found {
    const Key* key = nullptr;   // null: nobody's
    std::int64_t until_ms = 0;  // as KeyEntry::Hash
  };
  struct Entries {
    std::vector<GroupEntry> groups;
    std::vector<KeyEntry> keys;
    bool closed = false;  // a key must be shown even though there is none
  };
  // `hash`: with which the entries were hashed. Error: bad_request, when two keys or two groups are called the same,
  // when a group is not there, or when a tree is none.
  [[nodiscard]] static Result<std::shared_ptr<const Directory>> make(const KeyedHash& hash, Entries entries);
  // What the configuration has.
  static void add(const Config& config, const KeyedHash& hash, Entries& to);
  // Of a process that keeps no keys: hashed with what chance gives.
  [[nodiscard]] static std::shared_ptr<const Directory> of(const Config& config);

  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Callers must show a key.
  [[nodiscard]] bool closed() const { return closed_; }
  // Whose key that is. One hash, and no time that depends on how much of a key is right.
  [[nodiscard]] Found find(std::string_view shown) const;
  // Who signs with that id; null when nobody does.
  [[nodiscard]] const Key* signer(std::string_view access_key_id) const;
  // By name.
  [[nodiscard]] const std::map<std::string_view, const Key*>& keys() const { return keys_by_name_; }
  [[nodiscard]] const std::map<std::string_view, const Group*>& groups() const { return groups_by_name_; }

 private:
  explicit Directory(const KeyedHash& hash) : hash_(hash) {}
  [[nodiscard]] Result<void> take_groups(std::vector<GroupEntry>& entries);
  [[nodiscard]] Result<void> take_keys(std::vector<KeyEntry>& entries);

  struct ByHash {
    std::size_t operator()(const Sha256& digest) const {
      std::size_t out = 0;
      std::memcpy(&out, digest.data(), sizeof out);
      return out;
    }
    bool operator()(const Sha256& a, const Sha256& b) const { return same(bytes(a), bytes(b)); }
  };
  KeyedHash hash_;
  bool closed_ = false;
  std::deque<Group> groups_;  // elements stay where they are
  std::deque<Key> keys_;
  std::map<std::string_view, const Group*> groups_by_name_;
  std::map<std::string_view, const Key*> keys_by_name_;
  std::unordered_map<Sha256, Found, ByHash, ByHash> by_hash_;
  std::unordered_map<std::string_view, const Key*> by_signer_;
  std::vector<std::string> signer_ids_;
};

// Whether the key may be shown now, from there, in that dialect (empty: in none). Errors: unauthorized, when it was
// replaced; forbidden.
[[nodiscard]] Result<void> may_call(const Directory::Found& shown, std::string_view peer, std::string_view dialect,
                                    std::int64_t unix_ms);
// What the caller is told.
[[nodiscard]] Error no_such_model(const Key& key, std::string_view model);
[[nodiscard]] Error no_such_backend(const Key& key, std::string_view model);

}  // namespace sluice
