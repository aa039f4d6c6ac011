package kerberosx

import (
	"context"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
)

const (
	skew     = 5 * time.Minute // RFC 4120 section 8.2's recommendation
	lifetime = 10 * time.Hour  // that is asked for; the KDC may give less
	spare    = time.Minute     // a ticket with less left is not used
	maxHops  = 5               // through realms that refer to others
	krbtgt   = "krbtgt"        // a ticket-granting service's name
)

var errReply = errors.New("kerberos: the reply cannot be right")

// A ticket and the key that goes with it.
type ticket struct {
	ticket messages.Ticket
	key    types.EncryptionKey
	ends   time.Time
}

func (t ticket) lasts(now time.Time) bool { return now.Add(spare).Before(t.ends) }

// options are gokrb5's configuration, of which it reads nothing from a file.
func options(kinds []int32, canonicalize bool) *config.Config {
	return &config.Config{LibDefaults: config.LibDefaults{
		Clockskew: skew, TicketLifetime: lifetime, NoAddresses: true, Canonicalize: canonicalize,
		KDCDefaultOptions: types.NewKrbFlags(), DefaultTktEnctypeIDs: kinds, DefaultTGSEnctypeIDs: kinds,
	}}
}

// signIn gets a ticket-granting ticket. The first request proves nothing; the
// KDC's answer says how to (RFC 4120 section 3.1.1).
func (c *Client) signIn(ctx context.Context) error {
	req, err := messages.NewASReqForTGT(c.realm, options(c.secret.etypes(), false), c.name)
	if err != nil {
		return c.broken(err)
	}
	answer, said, err := c.sendAS(ctx, &req)
	var hints types.PADataSequence
	proven := false
	if err == nil && said != nil && said.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		if hints, err = c.prove(&req, said); err != nil {
			return err
		}
		proven = true
		answer, said, err = c.sendAS(ctx, &req)
	}
	if err != nil {
		return err
	}
	if said != nil {
		return c.refused(said, "")
	}
	return c.accept(req, answer, hints, proven)
}

func (c *Client) sendAS(ctx context.Context, req *messages.ASReq) ([]byte, *messages.KRBError, error) {
	data, err := req.Marshal()
	if err != nil {
		return nil, nil, c.broken(err)
	}
	return c.send(ctx, c.realm, data)
}

// prove adds the encrypted time (RFC 4120 section 5.2.7.2) to the request.
func (c *Client) prove(req *messages.ASReq, said *messages.KRBError) (types.PADataSequence, error) {
	var hints types.PADataSequence
	if err := hints.Unmarshal(said.EData); err != nil {
		return nil, c.broken(err)
	}
	if !hints.Contains(patype.PA_ENC_TIMESTAMP) {
		return nil, c.fail(connectors.Unsupported, "kerberos.preauth", c.realm, "")
	}
	kind := int32(0)
	for _, info := range infos(hints) {
		if slices.Contains(req.ReqBody.EType, info.EType) {
			kind = info.EType
			break
		}
	}
	key, version, err := c.secret.key(kind, 0, hints, c.name, c.realm)
	if errors.Is(err, errNoKey) {
		return nil, c.fail(connectors.Unsupported, "kerberos.etype", c.realm, c.credential())
	}
	if err != nil {
		return nil, c.broken(err)
	}
	now := c.now().UTC()
	stamp, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: now, PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, c.broken(err)
	}
	sealed, err := crypto.GetEncryptedData(stamp, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, version)
	if err != nil {
		return nil, c.broken(err)
	}
	value, err := sealed.Marshal()
	req.PAData = types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}
	return hints, err
}

// accept reads and checks the KDC's answer (RFC 4120 section 3.1.5).
func (c *Client) accept(req messages.ASReq, answer []byte, hints types.PADataSequence, proven bool) error {
	var rep messages.ASRep
	if err := rep.Unmarshal(answer); err != nil {
		return c.broken(err)
	}
	if rep.CRealm != c.realm && strings.EqualFold(rep.CRealm, c.realm) {
		e := bad("kerberos.realm_case", c.cfg.Fields.realm(), rep.CRealm)
		e.Op = connectors.StageSignIn
		return e
	}
	if rep.CRealm != c.realm || !rep.CName.Equal(c.name) {
		return c.broken(errReply)
	}
	if infos(rep.PAData) != nil {
		hints = rep.PAData
	}
	key, _, err := c.secret.key(rep.EncPart.EType, rep.EncPart.KVNO, hints, c.name, c.realm)
	if err != nil {
		return c.broken(err)
	}
	plain, err := crypto.DecryptEncPart(rep.EncPart, key, keyusage.AS_REP_ENCPART)
	if err != nil && !proven {
		// An account without preauthentication: the KDC gave a ticket to a stranger.
		return c.fail(connectors.AuthFailed, c.credentialReason(), c.Principal(), c.credential())
	}
	var part messages.EncKDCRepPart
	if err != nil || part.Unmarshal(plain) != nil {
		return c.broken(errReply)
	}
	if part.Nonce != req.ReqBody.Nonce || part.SRealm != c.realm || !part.SName.Equal(req.ReqBody.SName) {
		return c.broken(errReply)
	}
	if off := c.now().Sub(part.AuthTime); off > skew || off < -skew {
		return c.clock(part.AuthTime)
	}
	c.tgt = ticket{ticket: rep.Ticket, key: part.Key, ends: part.EndTime}
	return nil
}

// serviceTicket goes to the own realm's KDC and follows where it refers to
// another realm's (RFC 6806 section 8). Referred KDCs see a ticket made for
// them, and nothing of the password.
func (c *Client) serviceTicket(ctx context.Context, spn string) (ticket, error) {
	name := types.NewPrincipalName(nametype.KRB_NT_SRV_HST, spn)
	realm, tgt := c.realm, c.tgt
	seen := []string{realm}
	for range maxHops {
		got, server, err := c.grant(ctx, realm, tgt, name)
		if err != nil {
			return ticket{}, err
		}
		if !strings.EqualFold(server.NameString[0], krbtgt) {
			return got, nil
		}
		realm = server.NameString[len(server.NameString)-1]
		if slices.Contains(seen, realm) || !realmShape.MatchString(realm) {
			return ticket{}, c.broken(errReply)
		}
		seen, tgt = append(seen, realm), got
	}
	return ticket{}, c.broken(errReply)
}

// grant is one TGS exchange (RFC 4120 section 3.3). It returns for which
// server the ticket is.
func (c *Client) grant(ctx context.Context, realm string, tgt ticket, name types.PrincipalName) (ticket, types.PrincipalName, error) {
	var none types.PrincipalName
	req, data, err := c.tgsRequest(realm, tgt, name)
	if err != nil {
		return ticket{}, none, c.broken(err)
	}
	answer, said, err := c.send(ctx, realm, data)
	if err != nil {
		return ticket{}, none, err
	}
	spn := name.PrincipalNameString()
	if said != nil {
		return ticket{}, none, c.refused(said, spn)
	}
	var rep messages.TGSRep
	if err := rep.Unmarshal(answer); err != nil {
		return ticket{}, none, c.broken(err)
	}
	if err := rep.DecryptEncPart(tgt.key); err != nil {
		return ticket{}, none, c.broken(errReply)
	}
	part := rep.DecryptedEncPart
	if part.Nonce != req.ReqBody.Nonce || part.SRealm != realm || !rep.CName.Equal(c.name) || len(part.SName.NameString) < 2 {
		return ticket{}, none, c.broken(errReply)
	}
	return ticket{ticket: rep.Ticket, key: part.Key, ends: part.EndTime}, part.SName, nil
}

// tgsRequest is gokrb5's, with an authenticator that names the client's own
// realm: gokrb5 names that of the ticket, which is another one after a referral.
func (c *Client) tgsRequest(realm string, tgt ticket, name types.PrincipalName) (messages.TGSReq, []byte, error) {
	req, err := messages.NewTGSReq(c.name, realm, options(etypes(), true), tgt.ticket, tgt.key, name, false)
	if err != nil {
		return req, nil, err
	}
	body, err := req.ReqBody.Marshal()
	if err != nil {
		return req, nil, err
	}
	et, err := crypto.GetEtype(tgt.key.KeyType)
	if err != nil {
		return req, nil, err
	}
	sum, err := et.GetChecksumHash(tgt.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return req, nil, err
	}
	auth, err := types.NewAuthenticator(c.realm, c.name)
	if err != nil {
		return req, nil, err
	}
	auth.Cksum = types.Checksum{CksumType: et.GetHashID(), Checksum: sum}
	ap, err := messages.NewAPReq(tgt.ticket, tgt.key, auth)
	if err != nil {
		return req, nil, err
	}
	value, err := ap.Marshal()
	if err != nil {
		return req, nil, err
	}
	req.PAData = types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: value}}
	data, err := req.Marshal()
	return req, data, err
}
