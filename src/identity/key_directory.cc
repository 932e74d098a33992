#include "identity/key_directory.h"

#include "identity/api_key_store.h"

namespace deeppool::identity {

std::shared_ptr<const KeySnapshot> KeyDirectory::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

Result<void> KeyDirectory::reload(sql::Database& database) {
  DP_TRY(auto reader, database.read());
  DP_TRY(auto entries, api_keys::load_all(reader));
  auto fresh = std::make_shared<const KeySnapshot>(std::move(entries));
  const std::scoped_lock lock(mutex_);
  current_.swap(fresh);  // the old one dies after the lock, if nobody holds it
  return {};
}

}  // namespace deeppool::identity
