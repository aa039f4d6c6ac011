package vault

import "testing"

func TestALockedVaultAsksForItsKeyAgain(t *testing.T) {
	k := &lockable{}
	v := open(t, t.TempDir(), k)
	v.ForgetKey()
	if err := v.NeedKey(t.Context()); err != nil {
		t.Errorf("nothing is sealed yet: %v", err)
	}
	put(t, v, one, "first")
	v.ForgetKey()
	k.locked = true
	if s, err := v.ReadSecrets(t.Context(), one); err == nil {
		t.Errorf("%d secrets were read", len(s))
	}
	if v.NeedKey(t.Context()) == nil {
		t.Error("it is open without a key")
	}
	k.locked = false
	if err := v.NeedKey(t.Context()); err != nil {
		t.Error(err)
	}
	k.locked = true
	if _, err := v.ReadSecrets(t.Context(), one); err != nil {
		t.Error("the key is asked for again: ", err)
	}
}
